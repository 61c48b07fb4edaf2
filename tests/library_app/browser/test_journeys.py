"""What people do with the app, in a real browser."""

import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import chromium
from tests.library_app.browser.conftest import CHROMIUM

pytestmark = pytest.mark.chromium


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def post(address: str, body: dict[str, object]) -> Any:
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def new_reader(address: str, name: str) -> str:
    reader_id: str = post(f"{address}/api/lending/register-reader", {"Name": name})["ReaderID"]
    return reader_id


def new_copy(address: str, title: str) -> str:
    copy: dict[str, object] = {
        "ISBN": "978-1-098-10013-1",
        "Title": title,
        "Authors": "Vlad Khononov",
        "Edition": "First Edition",
        "Publisher": "O'Reilly Media",
        "PublicationYear": 2021,
    }
    added = post(f"{address}/api/lending/add-book-copy-to-circulation", copy)
    known_to_the_search(address, added["Events"][0]["SequenceNumber"])
    book_id: str = added["BookID"]
    return book_id


def known_to_the_search(address: str, number: int) -> None:
    """Another session does not wait for what this one has written, so wait here."""
    deadline = time.monotonic() + 60
    while get(f"{address}/api/lending/book-search?at_least={number}")["Behind"]:
        assert time.monotonic() < deadline, "the search does not come so far"


def test_a_reader_registers_finds_a_book_borrows_it_and_brings_it_back(page: Page, address: str) -> None:
    page.goto(f"{address}/library/readers/register")
    page.get_by_label("Name").fill("Siobhán O'Brien")
    page.locator("main .primary").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Siobhán O'Brien")
    reader_id = page.url.rsplit("/", 1)[1].split("?")[0]
    new_copy(address, "Domain-Driven Bookbinding")

    page.goto(address)
    page.get_by_placeholder("Title, author or ISBN").fill("domain-driven bookb")
    page.keyboard.press("Enter")
    page.get_by_role("main").get_by_role("link", name="Lend", exact=True).first.click()
    page.get_by_label("Reader").select_option(label="Siobhán O'Brien")
    page.get_by_role("main").get_by_role("button", name="Lend").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Domain-Driven Bookbinding")
    expect(page.get_by_role("main")).to_contain_text("Siobhán O'Brien")
    copy_page = page.url
    page.get_by_role("status").locator("a.number").click()
    assert "/glass/events/" in page.url
    expect(page.get_by_role("main")).to_contain_text(reader_id)
    expect(page.get_by_role("main")).to_contain_text("CorrelationID")

    page.goto(copy_page)
    page.get_by_role("link", name="Take it back").click()
    page.locator("main .primary").click()
    page.goto(copy_page)
    expect(page.get_by_role("link", name="Lend it")).to_be_visible()


def test_what_was_just_written_is_found(page: Page, address: str) -> None:
    for number in range(3):
        page.goto(f"{address}/library/books/add")
        for label, value in (("ISBN", "978-1-098-10013-1"), ("Title", f"Zéphyr {number}"), ("Author", "Ünal, Zoë")):
            page.get_by_label(label).fill(value)
        for label, value in (("Edition", "First"), ("Publisher", "Wind"), ("Year", "2021")):
            page.get_by_label(label).fill(value)
        page.locator("main .primary").click()
        page.goto(f"{address}/library/books")
        page.get_by_label("Search the catalogue").fill(f"unal ZEPH {number}")
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text("1 copy")
        expect(page.get_by_role("link", name=f"Zéphyr {number}")).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("Up to event")
        expect(page.get_by_role("main")).not_to_contain_text("not in this list yet")


def test_a_librarian_lends_and_takes_back_at_the_desk(page: Page, address: str) -> None:
    reader_id = new_reader(address, "Desk Visitor")
    book_id = new_copy(address, "<script>alert('Robert')</script> & other tales")
    page.goto(f"{address}/library/desk")
    page.get_by_label("Reader").fill(reader_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Desk Visitor")
    page.get_by_label("Copy").fill(book_id.upper())
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("<script>alert('Robert')</script> & other tales")
    page.get_by_role("button", name="Return").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing. Lend the first book.")


def test_the_last_seat_of_a_course_goes_to_the_first_and_the_second_is_told_why(page: Page, address: str) -> None:
    page.goto(f"{address}/school/courses/define")
    page.get_by_label("Title").fill("Cartography")
    page.get_by_label("Seats").fill("1")
    page.locator("main .primary").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cartography")
    course_id = page.url.rsplit("/", 1)[1].split("?")[0]
    students = [
        post(f"{address}/api/enrollment/register-student", {"Name": name})["StudentID"] for name in ("Ada", "Blaise")
    ]
    for student_id in students:
        page.goto(f"{address}/school/enroll?CourseID={course_id}&StudentID={student_id}")
        page.locator("main .primary").click()
    expect(page.get_by_role("alert")).to_contain_text("seat")
    roster = get(f"{address}/api/enrollment/course-roster/{course_id}")
    assert students[0] in json.dumps(roster)
    assert students[1] not in json.dumps(roster)


def test_a_student_finds_a_seat_in_a_full_course_when_another_gives_it_back(page: Page, address: str) -> None:
    main = page.get_by_role("main")
    for name in ("Eve Early", "Ada Late"):
        page.goto(f"{address}/school/students/register")
        page.get_by_label("Name").fill(name)
        main.locator(".primary").click()
        expect(page.get_by_role("status")).to_contain_text("The student is registered.")
    page.goto(f"{address}/school/courses/define")
    page.get_by_label("Title").fill("Glassblowing & Latin")
    page.get_by_label("Seats").fill("1")
    main.locator(".primary").click()
    course = page.url.split("?")[0]

    for name in ("Eve Early", "Ada Late"):
        page.goto(course)
        main.get_by_role("link", name="Enroll a student").click()
        page.get_by_label("Student").select_option(label=name)
        main.get_by_role("button", name="Enroll").click()
    expect(page.get_by_role("alert")).to_contain_text("Every seat of the course is taken.")
    page.get_by_role("alert").get_by_role("link", name="#").first.click()  # the others say so: who has the seats
    expect(main).to_contain_text("Enrolling student failed")

    page.goto(course)
    main.get_by_role("button", name="Withdraw Eve Early").click()
    expect(main).to_contain_text("Nobody takes this course yet.")
    main.get_by_role("link", name="Enroll a student").click()
    page.get_by_label("Student").select_option(label="Ada Late")
    main.get_by_role("button", name="Enroll").click()
    main.get_by_role("link", name="Ada Late").click()
    expect(main).to_contain_text("1 of 10 courses")
    expect(main.get_by_role("link", name="Glassblowing & Latin")).to_be_visible()


def test_two_browsers_that_lend_the_same_copy_at_the_same_moment(address: str) -> None:
    """Each round two sessions press the button together; one has the copy, the other reads who has it."""
    rounds = 3
    copies = [new_copy(address, f"Wanted by two, {number}") for number in range(rounds)]
    readers = [new_reader(address, name) for name in ("Quick", "Quicker")]
    together = threading.Barrier(2)

    def lend(reader_id: str) -> list[int]:
        statuses = []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
            page = browser.new_page()
            for book_id in copies:
                page.goto(f"{address}/library/lend?BookID={book_id}&ReaderID={reader_id}")
                together.wait(30)
                with page.expect_response(lambda response: response.request.method == "POST") as answer:
                    page.get_by_role("main").get_by_role("button", name="Lend").click()
                page.wait_for_load_state()
                statuses.append(answer.value.status)
                if answer.value.status == 409:
                    expect(page.get_by_role("alert")).to_contain_text("lent to another reader")
            browser.close()
        return statuses

    with ThreadPoolExecutor(2) as people:
        first, second = people.map(lend, readers)
    assert [sorted(both) for both in zip(first, second, strict=True)] == [[303, 409]] * rounds
    for book_id in copies:
        log = json.dumps(get(f"{address}/api/events?BookID={book_id}"))
        assert log.count('"BookCopyLentToReader"') == 1
        assert log.count('"LendingBookToReaderFailed"') == 1


NOT_LINKED = [
    "/library/search?q=design",
    "/library/search?q=nothing-is-like-that",
    "/api/docs",
    "/no-such-page",
]
"""Where no link leads, so that `test_every_page` does not come."""


@pytest.mark.parametrize("path", NOT_LINKED)
def test_a_page_fits_a_narrow_window_and_reports_no_error(page: Page, address: str, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    answer = page.goto(address + path)
    assert answer is not None
    assert answer.status == (404 if path == "/no-such-page" else 200)
    assert page.title()
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(too_wide) <= 0
