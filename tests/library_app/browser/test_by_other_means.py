"""The basic work of those who have no script, no mouse, or a narrow window."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.library_app.browser.test_journeys import new_copy, new_reader

pytestmark = pytest.mark.chromium

MOST_STOPS = 80
"""So often Tab is pressed in search of something, and not for ever."""

FOCUSED = """() => {
    const focused = document.activeElement, style = getComputedStyle(focused);
    const box = focused.getBoundingClientRect();
    return {
        where: focused.outerHTML.slice(0, 120),
        isMarked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        isInSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A page on which no script runs."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def search(page: Page, words: str) -> Locator:
    """Look for a copy from the first page on; returns the row that is found."""
    page.get_by_placeholder("Title, author or ISBN").fill(words)
    page.keyboard.press("Enter")
    return page.get_by_role("main").get_by_role("row").filter(has_text=words)


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def test_a_copy_is_found_lent_and_brought_back_without_javascript(plain: Page, address: str) -> None:
    new_reader(address, "No Script")
    new_copy(address, "Plain Pages")
    plain.goto(address)
    search(plain, "Plain Pages").get_by_role("link", name="Lend", exact=True).click()
    plain.get_by_label("Reader").select_option(label="No Script")
    press(plain, "Lend")
    expect(plain.get_by_role("status")).to_contain_text("The copy is lent.")
    plain.get_by_role("link", name="Take it back").click()
    press(plain, "Take back")
    expect(plain.get_by_role("status")).to_contain_text("The copy is back.")
    plain.get_by_role("status").get_by_role("link", name="#").click()
    expect(plain.get_by_role("main")).to_contain_text("BookCopyReturnedByReader")


def test_a_refusal_and_what_it_was_decided_on_need_no_javascript(plain: Page, address: str) -> None:
    has_it, wants_it = new_reader(address, "Has It"), new_reader(address, "Wants It")
    book_id = new_copy(address, "Wanted Without Script")
    plain.goto(f"{address}/library/lend?BookID={book_id}&ReaderID={has_it}")
    press(plain, "Lend")
    plain.goto(f"{address}/library/lend?BookID={book_id}&ReaderID={wants_it}")
    press(plain, "Lend")
    expect(plain.get_by_role("alert")).to_contain_text("The copy is lent to another reader.")
    press(plain, "Show the boundary")
    expect(plain.get_by_role("heading", name="Decided")).to_be_visible()
    expect(plain.get_by_role("main")).to_contain_text("BookCopyLentToReader")


def test_a_student_takes_a_seat_without_javascript(plain: Page, address: str) -> None:
    plain.goto(f"{address}/school/courses/define")
    plain.get_by_label("Title").fill("Plain Song")
    plain.get_by_label("Seats").fill("3")
    plain.locator("main .primary").click()
    course = plain.url
    plain.goto(f"{address}/school/students/register")
    plain.get_by_label("Name").fill("Clara Plain")
    plain.locator("main .primary").click()
    plain.goto(course)
    plain.get_by_role("link", name="Enroll a student").click()
    plain.get_by_label("Student").select_option(label="Clara Plain")
    press(plain, "Enroll")
    expect(plain.get_by_role("main")).to_contain_text("1 of 3 seats taken, 2 left")
    press(plain, "Withdraw Clara Plain")
    expect(plain.get_by_role("main")).to_contain_text("Nobody takes this course yet.")


def test_a_book_is_lent_with_the_keyboard_alone(page: Page, address: str) -> None:
    new_reader(address, "Xanthippe Keys")
    new_copy(address, "Zither by Keyboard")
    page.goto(address)
    main = page.get_by_role("main")
    tab_to(page, page.get_by_placeholder("Title, author or ISBN"))
    page.keyboard.type("zither keyb")
    page.keyboard.press("Enter")
    expect(main.get_by_role("link", name="Zither by Keyboard")).to_be_visible()
    tab_to(page, main.get_by_role("link", name="Lend", exact=True))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Reader"))
    page.keyboard.type("Xanthippe K")
    tab_to(page, main.get_by_role("button", name="Lend", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The copy is lent.")
    expect(main).to_contain_text("to Xanthippe Keys")


def tab_to(page: Page, place: Locator) -> None:
    """Press Tab until it is there; every stop on the way is marked and in sight."""
    expect(place).to_be_attached()
    for _ in range(MOST_STOPS):
        if place.evaluate("place => place === document.activeElement"):
            return
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        assert stop["isMarked"], f"nobody sees where the focus is: {stop['where']}"
        assert stop["isInSight"], f"the focus is out of sight: {stop['where']}"
    raise AssertionError(f"Tab does not lead to {place}")


def test_a_narrow_window_is_wide_enough_to_lend_and_return(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    reader_id = new_reader(address, "Narrow Window")
    new_copy(address, "Slim Volume")
    page.goto(f"{address}/school/courses")
    main, navigation = page.get_by_role("main"), page.get_by_role("navigation", name="Main")
    navigation.get_by_role("link", name="Books", exact=True).click()
    page.get_by_label("Search the catalogue").fill("Slim Volume")
    page.keyboard.press("Enter")
    expect(main).to_contain_text("1 copy")
    fits(page)
    main.get_by_role("link", name="Slim Volume").click()
    main.get_by_role("link", name="Lend it").click()
    page.get_by_label("Reader").select_option(label="Narrow Window")
    fits(page)
    press(page, "Lend")
    expect(main).to_contain_text("to Narrow Window")
    fits(page)
    navigation.get_by_role("link", name="Desk", exact=True).click()
    page.get_by_label("Reader").fill(reader_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Narrow Window")
    fits(page)
    press(page, "Return Slim Volume")
    expect(main).to_contain_text("Nothing. Lend the first book.")
    fits(page)


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
