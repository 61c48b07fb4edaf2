"""The plain pages as people meet them: with a keyboard, and on paper."""

import re
from typing import Any

from playwright.sync_api import Page, expect


def a_loan_and_another_reader(page: Page, address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    loan = page.request.get(f"{address}/api/lending/books-lent-out").json()["Books"][0]
    readers = page.request.get(f"{address}/api/lending/registered-readers").json()["Readers"]
    return loan, next(reader for reader in readers if reader["ReaderID"] != loan["ReaderID"])


def test_after_a_refusal_the_keyboard_is_at_what_was_said_and_leads_to_the_event_that_says_so(
    page: Page, address: str
) -> None:
    loan, other = a_loan_and_another_reader(page, address)
    page.goto(f"{address}/library/lend?BookID={loan['BookID']}&ReaderID={other['ReaderID']}")
    page.get_by_role("button", name="Lend", exact=True).press("Enter")
    refusal = page.get_by_role("alert")
    expect(refusal).to_be_focused()
    expect(refusal).to_contain_text("The copy is lent to another reader.")
    says_so = refusal.locator("p", has_text="It follows from").get_by_role("link").first
    page.keyboard.press("Tab")  # to the record
    page.keyboard.press("Tab")
    expect(says_so).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/glass/events/\d+$"))
    expect(page.locator("main")).to_contain_text("Book copy lent to reader")
    assert loan["BookID"] in page.locator("main").inner_html()


def test_after_wrong_fields_the_keyboard_is_at_the_first(page: Page, address: str) -> None:
    page.goto(f"{address}/library/books/add")
    page.get_by_label("Title").fill("A title")
    page.evaluate("document.querySelector('form.form-grid').noValidate = true")
    page.get_by_label("Title").press("Enter")
    expect(page.get_by_label("Authors")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_value("A title")


def test_what_is_printed_is_dark_on_white_and_says_what_the_screen_says(page: Page, address: str) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{address}/glass/events/1")
    look = "element => [getComputedStyle(element).color, getComputedStyle(element).backgroundColor]"
    assert page.locator("pre").first.evaluate(look) == ["rgb(0, 0, 0)", "rgb(245, 245, 242)"]
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    loan, _ = a_loan_and_another_reader(page, address)
    page.goto(f"{address}/library/readers/{loan['ReaderID']}")
    expect(page.get_by_text(re.compile("[0-9]+ of 10 copies"))).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
