"""What can be done from the page of a course: change its capacity, and withdraw a student by one button."""

import html
import re

from slices.enrollment.events import CourseCapacityChanged, CourseDefined, StudentRegistered
from slices.paging import ROWS
from slices.testing import stored
from tests.slices.enrollment.world import (
    ADA,
    ADA_REGISTERED,
    EVE,
    EVE_REGISTERED,
    LATIN,
    LATIN_DEFINED,
    NOON,
    enrolled,
    some_id,
)
from tests.slices.web.shop import Shop
from tests.slices.web.test_pages import flashed, see, submit

PAGE = f"/school/courses/{LATIN}"


def form_of(page: str, button: str) -> tuple[str, dict[str, str]]:
    """Where the form with this button goes, and what it sends."""
    form = page.split(f'aria-label="{button}"', maxsplit=1)[0].rsplit("<form", 1)[1]
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    return form.split('action="')[1].split('"')[0], {name: html.unescape(value) for name, value in fields}


def test_each_student_has_a_button_that_withdraws_this_one_and_leads_back() -> None:
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED, ADA_REGISTERED, enrolled(EVE, LATIN), enrolled(ADA, LATIN)))
    action, fields = form_of(see(shop, PAGE), "Withdraw Ada")
    assert (action, fields["csrf_token"]) == ("/school/withdraw", "token")
    response = shop.browser.post(action, data=fields)
    assert (response.status_code, response.location) == (303, PAGE)
    page = see(shop, PAGE)
    assert "The student has given the seat back. 6" in page
    assert "1 of 2 seats taken, 1 left" in page
    assert "Withdraw Eve" in page
    assert "Ada" not in page


def test_a_button_that_was_pressed_in_two_windows_withdraws_once() -> None:
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED, enrolled(EVE, LATIN)))
    action, fields = form_of(see(shop, PAGE), "Withdraw Eve")
    for _ in range(2):
        assert shop.browser.post(action, data=fields).status_code == 303
    assert [category for category, _ in flashed(shop)] == ["written", "nothing"]


def test_who_withdraws_a_student_on_a_later_page_of_the_roster_comes_back_to_it() -> None:
    students = [some_id(number) for number in range(ROWS + 2)]
    registered = [StudentRegistered(student, f"S{number}", occurred_at=NOON) for number, student in enumerate(students)]
    large = CourseDefined(LATIN, "Latin", 100, occurred_at=NOON)
    shop = Shop(stored(large, *registered, *(enrolled(student, LATIN) for student in students)))
    _, fields = form_of(see(shop, f"{PAGE}?page=2"), f"Withdraw S{ROWS}")
    assert submit(shop, "/school/withdraw", **fields).location == f"{PAGE}?page=2"


def test_names_in_buttons_are_escaped() -> None:
    quoted = StudentRegistered(EVE, '"><script>', occurred_at=NOON)
    page = see(Shop(stored(LATIN_DEFINED, quoted, enrolled(EVE, LATIN))), PAGE)
    assert 'aria-label="Withdraw &#34;&gt;&lt;script&gt;"' in page
    assert "<script>" not in page


def test_who_withdraws_a_student_by_the_form_is_led_to_the_course() -> None:
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED, enrolled(EVE, LATIN)))
    assert submit(shop, "/school/withdraw", StudentID=EVE, CourseID=LATIN).location == PAGE


def test_withdrawing_who_never_took_the_course_is_refused_in_words() -> None:
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED))
    response = submit(shop, "/school/withdraw", StudentID=EVE, CourseID=LATIN)
    assert response.status_code == 409
    assert "The student never took this course." in response.text


def test_the_capacity_is_changed_from_the_page_beginning_with_the_seats_that_there_are() -> None:
    shop = Shop(stored(LATIN_DEFINED, enrolled(EVE, LATIN)))
    [link] = re.findall(r'href="(/school/courses/capacity[^"]*)"', see(shop, PAGE))
    form = see(shop, html.unescape(link))
    assert f'name="CourseID" type="text" value="{LATIN}"' in form
    assert 'name="Capacity" type="text" value="2"' in form
    response = submit(shop, "/school/courses/capacity", CourseID=LATIN, Capacity="7")
    assert (response.status_code, response.location) == (303, PAGE)
    page = see(shop, PAGE)
    assert "The number of seats is changed. 3" in page
    assert "1 of 7 seats taken, 6 left" in page
    assert "1 of 7" in see(shop, "/school/courses")


def test_a_capacity_is_a_whole_number_within_bounds_and_what_was_typed_is_kept() -> None:
    shop = Shop(stored(LATIN_DEFINED, CourseCapacityChanged(LATIN, 3, occurred_at=NOON)))
    for typed in ("0", "-1", "10001", "many", "2.5"):
        response = submit(shop, "/school/courses/capacity", CourseID=LATIN, Capacity=typed)
        assert response.status_code == 422
        assert f'value="{typed}"' in response.text
    assert submit(shop, "/school/courses/capacity", CourseID=LATIN, Capacity="10000").status_code == 303


def test_fewer_seats_than_students_are_refused_in_words() -> None:
    shop = Shop(stored(LATIN_DEFINED, enrolled(EVE, LATIN), enrolled(ADA, LATIN)))
    response = submit(shop, "/school/courses/capacity", CourseID=LATIN, Capacity="1")
    assert response.status_code == 409
    assert "More students take the course than that." in response.text
    assert "/glass/events" not in response.text
