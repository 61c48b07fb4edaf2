"""The map of the slices in a real browser: what pointing, tabbing and narrow windows show, and Swagger UI's places."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.chromium

MET = "Cancel reader contract disturbs Lend book to reader by Reader contract canceled"


def is_seen(page: Page, text: str) -> bool:
    """Whether these words of a dot can be read: not cut away, and inside the window."""
    return bool(
        page.evaluate(
            """(text) => [...document.querySelectorAll(".named")].some((named) => {
              if (named.textContent.replace(/\\s+/g, " ").trim() !== text) return false;
              named.scrollIntoView({ block: "center" });
              const box = named.getBoundingClientRect();
              const uncut = getComputedStyle(named).clipPath === "none";
              return uncut && box.width > 0 && box.left >= 0 && box.right <= innerWidth;
            })""",
            text,
        )
    )


@pytest.mark.parametrize("width", [768, 1440])
def test_a_dot_is_named_when_pointed_at_and_when_tabbed_to(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/glass/slices")
    dot = page.get_by_role("link", name=MET, exact=True)
    assert not is_seen(page, MET)
    dot.hover()
    assert is_seen(page, MET)
    page.mouse.move(1, 1)
    assert not is_seen(page, MET)
    page.get_by_role("link", name="Cancel reader contract disturbs Claim reader email").focus()
    page.keyboard.press("Tab")
    expect(dot).to_be_focused()
    assert is_seen(page, MET)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/glass/slices/lending/lend_book_to_reader#disturbed-by")


def test_a_narrow_window_shows_the_matrix_as_a_list_with_the_events_named(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/glass/slices")
    row = page.locator(".matrix tbody tr").filter(has_text="Cancel reservation disturbs").first
    lines = [line for line in row.inner_text().split("\n") if line != ","]  # for ears only
    assert lines[:5] == [
        "Cancel reservation disturbs",
        "Cancel reservation",
        "Book reservation canceled",
        "Book held for reader",
        "Expire holds",
    ]
    assert is_seen(page, "Cancel reservation disturbs Expire holds by Book reservation canceled, Book held for reader")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_map_and_source_fit_the_window(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("", "/lending/lend_book_to_reader", "/lending/books_lent_by_reader"):
        page.goto(f"{address}/glass/slices{path}")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize(
    ("slice_", "method"),
    [("lend_book_to_reader", "POST"), ("books_lent_by_reader", "GET")],
)
def test_the_link_to_the_api_opens_its_operation(page: Page, address: str, slice_: str, method: str) -> None:
    page.goto(f"{address}/glass/slices/lending/{slice_}")
    page.get_by_role("link", name=f"{method} /api/").click()
    opened = page.locator(".opblock.is-open")
    expect(opened).to_have_count(1)
    expect(opened.locator(".opblock-summary-path")).to_contain_text(slice_.replace("_", "-"))
