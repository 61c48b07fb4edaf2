"""The playground of filters in a real browser, on PostgreSQL."""

import urllib.request

import pytest
from playwright.sync_api import Browser, Page, expect

from library_app.event_words import FAMILY_OF

pytestmark = pytest.mark.chromium

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_a_filter_is_put_together_by_hand(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/glass/events")
    page.get_by_role("link", name="Boundary", exact=True).click()
    main = page.get_by_role("main")
    main.get_by_text("Event types").first.click()
    main.get_by_label("Course capacity changed").first.check()
    main.get_by_label("Course defined").first.check()
    main.get_by_label("At most").fill("3")
    page.keyboard.press("Enter")
    # What was not filled in is not in the address, so that it can be kept and passed on.
    asked = "type1=CourseDefined&type1=CourseCapacityChanged&limit=3"
    expect(page).to_have_url(f"{address}/glass/boundary?{asked}#answer")
    expect(main).to_contain_text("CourseDefined or CourseCapacityChanged")
    expect(main.get_by_label("Python")).to_contain_text('.any_event_type_of("CourseDefined", "CourseCapacityChanged")')
    expect(main.get_by_label("Condition")).to_contain_text("event_type IN ('CourseDefined', 'CourseCapacityChanged')")
    expect(main.get_by_label("Plan")).to_contain_text("Index")
    expect(main.get_by_role("link", name="Event ")).to_have_count(3)
    assert page.evaluate(TOO_WIDE) <= 0


def test_what_is_wrong_gets_the_focus(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    answer = page.goto(f"{address}/glass/boundary?type1=CourseDefined&key3_2=Title")
    assert answer is not None
    assert answer.status == 422
    expect(page.locator("#type2-error")).to_be_visible()
    expect(page.locator("[name=type2]").first).to_be_focused()
    expect(page.locator("#value3_2-error")).to_be_visible()
    assert page.evaluate(TOO_WIDE) <= 0


def test_a_long_address_is_understood(address: str) -> None:
    places = [f"{item}_{number}" for item in (1, 2, 3) for number in (1, 2, 3)]
    long = "&".join(f"key{place}=k&value{place}={'v' * 200}" for place in places)
    every_type = "&".join(f"type{item}={name}" for item in (1, 2, 3) for name in FAMILY_OF)
    with urllib.request.urlopen(f"{address}/glass/boundary?{every_type}&{long}", timeout=10) as answer:
        assert "No event is like that." in answer.read().decode()


def test_it_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/glass/boundary")
    page.get_by_role("link", name="The boundary of a lending").click()
    expect(page.get_by_role("heading", name="The plan")).to_be_visible()
    page.get_by_label("At most").fill("1")
    page.get_by_role("button", name="Show this stream").click()
    expect(page.get_by_role("main").get_by_role("link", name="Event ")).to_have_count(1)
    page.get_by_label("At most").fill("many")
    page.get_by_role("button", name="Show this stream").click()
    expect(page.get_by_text("A number from 1 to 50, please.")).to_be_visible()
    expect(page.get_by_label("At most")).to_have_value("many")
    context.close()
