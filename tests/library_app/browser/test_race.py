"""The race lab in a real browser: on the production server, without a line of script."""

import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.chromium


def test_twenty_readers_race_for_one_copy_and_the_picture_shows_one_winner(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/glass/events")
    page.get_by_role("link", name="Race", exact=True).click()
    page.get_by_label("Racers").fill("20")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 got it, 19 were told who has it")
    picture = page.locator("svg.race-lines")
    expect(picture.locator("g")).to_have_count(20)
    expect(picture.locator(".sign.won")).to_have_count(1)
    expect(page.get_by_role("table").get_by_text("got it", exact=True)).to_have_count(1)
    names, lines = page.locator(".race-names li").all(), picture.locator("g").all()
    for name, line in zip(names, lines, strict=True):  # each name stands beside its line
        beside, drawn = name.bounding_box(), line.bounding_box()
        assert beside is not None
        assert drawn is not None
        assert abs((beside["y"] + beside["height"] / 2) - (drawn["y"] + drawn["height"] / 2)) < 4
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_two_sessions_are_stepped_to_two_winners_with_the_guard_of_the_seed_and_to_one_with_ours(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/glass/race")
    page.get_by_role("link", name="two sessions, step by step").click()

    def take(*steps: str) -> None:
        for step in steps:
            page.get_by_role("link", name=step, exact=True).focus()
            with page.expect_navigation():  # the next step may be on this page as well
                page.keyboard.press("Enter")

    both_append = ("Anna reads", "Ben reads", "Anna appends", "Ben appends")
    take(*both_append)
    expect(page.locator("td.held")).to_contain_text("Waits for the lock that Anna holds.")
    expect(page.get_by_role("link", name="Ben commits")).to_have_count(0)
    take("Anna commits")
    expect(page.locator(".ladder .refused")).to_contain_text("Conflict: the guard finds")
    take("Ben reads", "Ben appends", "Ben commits")
    expect(page.locator(".notice")).to_contain_text("One reader got the copy, the other was told.")
    take("Begin with the guard of the Go seed", *both_append, "Anna commits", "Ben commits")
    expect(page.locator(".notice")).to_contain_text("2 readers have the same copy.")
    expect(page.locator(".ladder .won")).to_have_count(2)
    page.go_back()
    expect(page.get_by_role("link", name="Ben commits", exact=True)).to_be_visible()
    expect(page.locator(".notice")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
