"""The strip of live events, in a real browser."""

import json
import uuid
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from eventstore import StorableEvent
from eventstore.postgres import PostgresEventStore, open_pool
from tests.library_app.browser.test_journeys import new_copy, new_reader
from tests.library_app.production import production

pytestmark = pytest.mark.chromium


def lend(page: Page, address: str, book_id: str, reader_id: str) -> None:
    page.goto(f"{address}/library/lend?BookID={book_id}&ReaderID={reader_id}")
    page.get_by_role("main").get_by_role("button", name="Lend").click()
    page.wait_for_load_state()


def test_the_strip_goes_on_without_a_gap_after_the_server_was_away(page: Page, browser: Browser, dsn: str) -> None:
    with production(dsn) as opened:
        address = opened.address
        reader_id, book_id = new_reader(address, "Live Reader"), new_copy(address, "Live Book")
        watching = browser.new_context().new_page()  # reports errors while the server is away, as it should
        watching.goto(address)
        watching.get_by_role("button", name="Events live", exact=True).click()
        strip = watching.get_by_role("complementary", name="Events live")
        expect(strip.get_by_role("status")).to_have_text("live")
        first = newest(strip)

        lend(page, address, book_id, reader_id)
        expect(strip.get_by_role("listitem").first).to_contain_text("Book copy lent to reader")
        expect(strip.get_by_role("listitem").first).to_contain_text(f"Reader …{reader_id[-6:]}")

        opened.stop()
        with open_pool(opened.dsn, max_size=1) as pool:  # others write on
            missed = PostgresEventStore(pool).append(*[course_defined() for _ in range(3)])
        opened.start()
        page.goto(f"{address}/library/return?BookID={book_id}&ReaderID={reader_id}")
        page.get_by_role("main").get_by_role("button", name="Take back").click()
        expect(strip.get_by_role("listitem").first).to_contain_text("Book copy returned by reader", timeout=60_000)
        told = numbers(strip)
        assert told == sorted(set(told), reverse=True), "none twice"
        assert told[: told[0] - first + 1] == [*range(told[0], first - 1, -1)], "none is missing"
        assert set(missed) < set(told)
        watching.context.close()


def course_defined() -> StorableEvent:
    payload = {"CourseID": str(uuid.uuid4()), "Title": "Written meanwhile", "Capacity": 5}
    return StorableEvent.build("CourseDefined", datetime.now(UTC), payload=json.dumps(payload).encode())


def numbers(strip: Locator) -> list[int]:
    """The numbers of the events that are shown, newest first."""
    return [int(shown.removeprefix("#")) for shown in strip.locator("li a.number").all_inner_texts()]


def newest(strip: Locator) -> int:
    return numbers(strip)[0]


def test_a_chip_lights_its_stream_by_keyboard_and_the_strip_stays_open_until_escape(page: Page, address: str) -> None:
    reader_id = new_reader(address, "Lit Reader")
    book_id = new_copy(address, "Lit Book")
    page.goto(f"{address}/library/desk")
    toggle = page.get_by_role("button", name="Events live", exact=True)
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.press("Enter")
    lend(page, address, book_id, reader_id)  # another page: it is still open
    strip = page.get_by_role("complementary", name="Events live")
    chip = strip.get_by_role("button", name=f"Reader …{reader_id[-6:]}").first
    chip.press("Enter")
    expect(chip).to_have_attribute("aria-pressed", "true")
    lit = strip.locator("li:not(.live-dim)")
    expect(lit).to_have_count(2)
    expect(strip.get_by_role("link", name="this stream")).to_have_attribute(
        "href", f"/glass/events?ReaderID={reader_id}"
    )
    new_reader(address, "Another")
    expect(strip.locator("li").first).to_contain_text("Reader registered")
    expect(strip.locator("li").first).to_have_class("family-reader live-new live-dim")
    chip.press("Enter")
    expect(strip.locator(".live-dim")).to_have_count(0)
    expect(strip.get_by_role("link", name="this stream")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(strip).to_be_hidden()
    expect(toggle).to_be_focused()
    page.reload()
    expect(toggle).to_be_visible()
    expect(strip).to_be_hidden()


def test_no_more_rows_are_kept_than_fifty(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Events live", exact=True).click()
    rows = page.get_by_role("complementary").get_by_role("listitem")
    expect(rows).to_have_count(20)
    for number in range(32):
        last = new_reader(address, f"Reader {number}")
    expect(rows.first).to_contain_text(last[-6:])
    expect(rows).to_have_count(50)


def test_where_streams_fail_the_page_asks_every_few_seconds(page: Page, address: str) -> None:
    page.add_init_script("delete window.EventSource")
    page.goto(address)
    page.get_by_role("button", name="Events live", exact=True).click()
    strip = page.get_by_role("complementary", name="Events live")
    expect(strip.get_by_role("status")).to_have_text("every few seconds")
    reader_id = new_reader(address, "Seen Later")
    expect(strip.get_by_role("listitem").first).to_contain_text(reader_id[-6:], timeout=60_000)


@pytest.mark.parametrize(("width", "beside"), [(1440, True), (768, False), (390, False)])
def test_the_strip_is_beside_the_page_where_there_is_room(
    page: Page, address: str, width: int, *, beside: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/library/books")
    page.get_by_role("button", name="Events live", exact=True).click()
    strip = page.get_by_role("complementary").bounding_box()
    main = page.get_by_role("main").bounding_box()
    assert strip is not None
    assert main is not None
    assert (main["x"] + main["width"] <= strip["x"]) == beside
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_without_javascript_the_button_is_a_link_to_the_log(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_role("complementary")).to_be_hidden()
    page.get_by_role("link", name="Events live").click()
    assert page.url == f"{address}/glass/events"
    context.close()
