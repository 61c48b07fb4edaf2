"""A large library: no page grows with it, and whoever is meant can still be found."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore
from library_app import Config, create_app
from library_app.glass.decision import MOST_SHOWN
from slices.enrollment.events import CourseDefined, StudentRegistered
from slices.forms import MOST_CHOICES
from slices.lending.events import ReaderContractCanceled, ReaderRegistered
from slices.testing import write
from tests.library_app.conftest import NOON
from tests.library_app.every_page import addresses, everything_called
from tests.slices.enrollment.world import EVE, LATIN, enrolled, some_id
from tests.slices.lending.world import ANN, BOOK, CAT, OTHER_BOOK, added, book_id, lent, reserved, returned

HEAVIEST_HTML = 240_000
"""Bytes, so that a page with its style sheets and scripts stays below 300 kB."""

COPIES, READERS, STUDENTS, COURSES = 5_000, 2_000, 2_000, 300


@pytest.fixture(scope="module")
def large() -> InMemoryEventStore:
    """Far more of everything than a page can show; read only."""
    store = InMemoryEventStore()
    copies = [book_id(number) for number in range(10, COPIES)]
    people = [some_id(number) for number in range(10, READERS)]
    write(
        store,
        *everything_called("José"),
        *(added(copy, f"Volume {copy[-4:]} of an encyclopaedia") for copy in copies),
        *(ReaderRegistered(reader, f"Reader {reader[-4:]}", occurred_at=NOON) for reader in people),
        *(lent(copy, reader) for copy, reader in zip(copies, people[:500], strict=False)),
        *(reserved(copy, CAT) for copy in copies[:300]),
        *(reserved(OTHER_BOOK, reader) for reader in people[500:1000]),
        *(event for reader in people[:500] for event in (lent(BOOK, reader), returned(BOOK, reader))),
        *(ReaderContractCanceled(reader, occurred_at=NOON) for reader in people[-300:]),
        *(CourseDefined(some_id(number), f"Course {number:03}", 9, occurred_at=NOON) for number in range(COURSES)),
        *(StudentRegistered(student, f"Student {student[-4:]}", occurred_at=NOON) for student in people),
        *(enrolled(student, LATIN) for student in people[:600]),
    )
    return store


@pytest.fixture
def client(large: InMemoryEventStore, config: Config) -> FlaskClient:
    return create_app(large, config=config, clock=lambda: NOON).test_client()


def posted(client: FlaskClient, address: str, **typed: str) -> str:
    token = client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(address, data={"csrf_token": token, **typed})
    assert answer.status_code == 200
    return answer.text


def test_no_page_is_too_heavy(client: FlaskClient) -> None:
    further = [
        "/library/desk?reader=reader",
        f"/library/books/{OTHER_BOOK}",
        f"/glass/decision/enrollment/enroll_student?StudentID={EVE}&CourseID={LATIN}",
        f"/glass/decision/enrollment/change_course_capacity?CourseID={LATIN}&Capacity=1",
        f"/glass/decision/lending/lend_book_to_reader?BookID={BOOK}&ReaderID={ANN}",
    ]
    pages = [address for address in addresses(client.application) if not address.startswith("/api")]
    weights = {address: len(client.get(address).data) for address in [*pages, *further]}
    assert {address: weight for address, weight in weights.items() if weight > HEAVIEST_HTML} == {}


@pytest.mark.parametrize(
    ("page", "typed", "one", "all_of_them"),
    [
        ("/library/readers", "reader 1234", "Reader 1234", "1 of 1692 registered"),
        ("/library/readers", some_id(77), "Reader 0077", "1 of 1692 registered"),
        ("/library/readers", "JOSE", "José", "2 of 1692 registered"),
        ("/school/students", "student 1234", "Student 1234", "1 of 1991 registered"),
        ("/school/courses", "course 123", "Course 123", "1 of 301 courses"),
    ],
)
def test_a_long_list_is_searched_by_name_or_number(
    client: FlaskClient, page: str, typed: str, one: str, all_of_them: str
) -> None:
    found = client.get(page, query_string={"q": typed}).text
    assert f">{one}</a>" in found
    assert all_of_them in found
    assert f'value="{typed}"' in found


def test_the_pages_of_what_was_found_keep_what_was_typed(client: FlaskClient) -> None:
    found = client.get("/library/readers?q=reader+1").text
    assert 'href="/library/readers?q=reader+1&amp;page=2"' in found
    assert ">Reader 0010</a>" not in client.get("/library/readers?q=reader+1&page=2").text
    nobody = client.get("/library/readers?q=<nobody>").text
    assert "No reader is called like that." in nobody
    assert 'value="&lt;nobody&gt;"' in nobody


def options(page: str, name: str) -> list[str]:
    select = page.split(f'<select id="{name}"')[1].split("</select>", maxsplit=1)[0]
    return re.findall(r'<option value="([^"]+)"', select)


def test_a_form_shows_the_first_names_and_finds_the_others(client: FlaskClient) -> None:
    form = client.get("/library/lend").text
    assert len(options(form, "BookID")) == len(options(form, "ReaderID")) == MOST_CHOICES
    wanted = {"find-ReaderID": "reader 1234", "BookID": OTHER_BOOK}
    found = posted(client, "/library/lend", find="ReaderID", **wanted)
    assert options(found, "ReaderID") == [some_id(1234)]
    assert f'<option value="{some_id(1234)}" selected>' in found
    assert found.count("autofocus") == 1
    assert f'<option value="{OTHER_BOOK}" selected>' in found
    assert 'value="reader 1234"' in found
    assert "1 found." in " ".join(found.split())
    assert "This is needed." not in found


def test_what_was_chosen_before_stays_chosen_whatever_is_looked_for(client: FlaskClient) -> None:
    chosen = some_id(1500)
    assert f'<option value="{chosen}" selected>Reader 1500' in client.get(f"/library/lend?ReaderID={chosen}").text
    found = posted(client, "/library/lend", find="ReaderID", ReaderID=chosen, **{"find-ReaderID": "reader 1234"})
    assert options(found, "ReaderID") == [chosen, some_id(1234)]
    assert f'<option value="{chosen}" selected>' in found
    several = posted(client, "/library/lend", find="ReaderID", **{"find-ReaderID": "reader 123"})
    assert '<option value="" selected>Choose …' in several
    nobody = posted(client, "/library/lend", find="ReaderID", **{"find-ReaderID": "<nobody>"})
    assert '<option value="" selected>None found' in nobody
    assert 'value="&lt;nobody&gt;"' in nobody


def test_to_look_for_a_name_carries_nothing_out(form: Any, library: None, log: Any) -> None:
    before = log()
    assert form("/library/lend", {"find": "BookID", "BookID": BOOK, "ReaderID": ANN}).status_code == 200
    assert log() == before


def test_a_short_list_needs_no_looking(demo_client: FlaskClient) -> None:
    assert 'name="find"' not in demo_client.get("/library/lend").text
    assert 'type="search"' not in demo_client.get("/school/courses").text


def test_the_desk_asks_for_more_of_a_name_that_many_have(client: FlaskClient) -> None:
    page = client.get("/library/desk?reader=reader").text
    assert page.count('<li><a href="/library/desk?ReaderID=') == 50
    assert "And 1640 more; type more of the name." in page


def test_of_a_long_queue_those_are_shown_whose_turn_comes_first(client: FlaskClient) -> None:
    lists = " ".join(client.get("/library/waiting").text.split())
    assert f'<a href="/library/books/{OTHER_BOOK}">and 491 more</a>' in lists
    copy = client.get(f"/library/books/{OTHER_BOOK}").text
    assert copy.index(">José</a>") < copy.index(">Reader 0510</a>")
    assert "and 401 more" in copy


def test_a_long_history_is_shown_from_its_end(client: FlaskClient) -> None:
    copy = client.get(f"/library/books/{BOOK}").text
    assert copy.count('<a class="place"') == 100
    assert "All of it, 904 more events, behind the glass" in copy
    decision = client.get(f"/glass/decision/enrollment/enroll_student?StudentID={EVE}&CourseID={LATIN}").text
    assert decision.count('<a class="place"') == MOST_SHOWN
    assert f"({MOST_SHOWN} of them are shown)" in decision
