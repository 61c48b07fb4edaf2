"""The slider: the page below it is what it was then."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.chromium

SLIDER = "Number of the newest event"


def copies_on(page: Page) -> int:
    """How many copies the page says that there are."""
    found = re.search(r"([0-9]+) (?:of [0-9]+ )?copies", page.locator("main").inner_text())
    return int(found[1]) if found else 0


def test_the_page_follows_the_slider_and_comes_back_to_the_present(page: Page, address: str) -> None:
    page.goto(f"{address}/library/books?show=all")
    now = copies_on(page)
    page.get_by_role("link", name="This page as of an earlier event").click()
    slider = page.get_by_label(SLIDER)
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url("**/as-of/0/library/books?show=all")
    expect(page.locator("main")).to_contain_text("No books yet.")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**/as-of/3/library/books?show=all")
    expect(page.locator("[data-time-then]")).to_contain_text("As of event #3")
    expect(slider).to_be_focused()
    assert 0 < copies_on(page) < now
    page.get_by_title("One event earlier").click()
    page.wait_for_url("**/as-of/2/library/books?show=all")
    page.get_by_role("link", name="Readers", exact=True).click()
    page.wait_for_url("**/as-of/2/library/readers")
    page.get_by_role("link", name="To the present").click()
    page.wait_for_url(f"{address}/library/readers")
    expect(page.get_by_label(SLIDER)).to_have_count(0)


def test_without_javascript_a_button_takes_one_there(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/as-of/2/library/books")
    page.get_by_label(SLIDER).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Go there").click()
    page.wait_for_url("**/as-of/3/library/books")
    context.close()


def test_what_is_kept_up_to_date_beside_the_log_knows_the_past_too(page: Page, address: str) -> None:
    page.goto(f"{address}/as-of/40/library/books")
    then = copies_on(page)
    page.goto(f"{address}/as-of/40/library/search?q=")
    assert copies_on(page) == then > 0
    page.goto(f"{address}/library/search?q=")
    assert copies_on(page) > then
