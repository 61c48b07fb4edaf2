"""Lists of books, readers and courses: what programs are told."""

from datetime import timedelta
from typing import Any

import pytest

from slices.domain_event import DomainEvent
from slices.lending.limits import TIME_TO_COLLECT
from slices.testing import stored
from tests.slices.enrollment.world import EVE, EVE_REGISTERED, LATIN, LATIN_DEFINED, enrolled
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    NOON,
    OTHER_BOOK,
    REMOVED,
    book_id,
    held,
    lent,
    reserved,
    returned,
)
from tests.slices.web.shop import Shop
from tests.slices.web.test_json_api import json_of

NOON_TEXT = "2025-07-01T12:00:00+00:00"


def ask(question: str, *events: DomainEvent) -> dict[str, Any]:
    return json_of(Shop(stored(*events)).browser.get(f"/api/{question}"))


def test_programs_are_told_what_is_out() -> None:
    assert ask("lending/books-lent-out", ADDED, ANN_REGISTERED, LENT_TO_ANN) == {
        "Position": 3,
        "Books": [
            {
                "BookID": BOOK,
                "Title": ADDED.title,
                "Authors": ADDED.authors,
                "ReaderID": ANN,
                "ReaderName": "Ann",
                "Since": NOON_TEXT,
            }
        ],
    }


def test_programs_are_told_who_canceled() -> None:
    assert ask("lending/canceled-readers", BOB_REGISTERED, BOB_CANCELED) == {
        "Position": 2,
        "Readers": [{"ReaderID": BOB, "Name": "Bob", "CanceledAt": NOON_TEXT}],
    }


def test_programs_are_told_what_was_removed() -> None:
    assert ask("lending/removed-books", ADDED, REMOVED) == {
        "Position": 2,
        "Books": [
            {
                "BookID": BOOK,
                "ISBN": ADDED.isbn,
                "Title": ADDED.title,
                "Authors": ADDED.authors,
                "Edition": ADDED.edition,
                "Publisher": ADDED.publisher,
                "PublicationYear": 2021,
                "RemovedAt": NOON_TEXT,
            }
        ],
    }


def test_programs_are_told_who_waits() -> None:
    ready, waits = ask("lending/waiting-lists", ADDED, BOB_REGISTERED, reserved(OTHER_BOOK, ANN), held(BOOK, BOB))[
        "Copies"
    ]
    assert ready == {
        "BookID": BOOK,
        "Title": ADDED.title,
        "Authors": ADDED.authors,
        "Readers": [],
        "HeldFor": {"ReaderID": BOB, "Name": "Bob"},
        "HeldUntil": (NOON + TIME_TO_COLLECT).isoformat(),
    }
    assert (waits["HeldFor"], waits["HeldUntil"]) == (None, None)
    assert waits["Readers"] == [{"ReaderID": ANN, "Name": ""}]


def test_programs_are_told_what_a_reader_waits_for() -> None:
    ann = ask(f"lending/books-lent-by-reader/{ANN}", ADDED, ANN_REGISTERED, reserved(BOOK, ANN))
    [reservation] = ann["Reservations"]
    assert (reservation["BookID"], reservation["Title"], reservation["HeldUntil"]) == (BOOK, ADDED.title, None)


def test_programs_are_told_what_a_student_takes() -> None:
    schedule = ask(f"enrollment/student-schedule/{EVE.upper()}", LATIN_DEFINED, EVE_REGISTERED, enrolled(EVE, LATIN))
    assert schedule == {
        "Position": 3,
        "StudentID": EVE,
        "Name": "Eve",
        "Courses": [{"CourseID": LATIN, "Title": "Latin", "Since": NOON_TEXT}],
    }


def test_who_never_registered_has_no_schedule() -> None:
    browser = Shop(stored(enrolled(EVE, LATIN))).browser
    assert browser.get(f"/api/enrollment/student-schedule/{EVE}").status_code == 404
    assert browser.get(f"/school/students/{EVE}").status_code == 404


LENDINGS = [
    event
    for number in range(120)
    for event in (
        lent(book_id(number), ANN, NOON + timedelta(minutes=number)),
        returned(book_id(number), ANN, NOON + timedelta(minutes=number)),
    )
]


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ("", 119, 100),
        ("?order=newest", 119, 100),
        ("?order=oldest&limit=3", 0, 3),
        ("?limit=1", 119, 1),
        ("?limit=1000", 119, 120),
    ],
)
def test_programs_choose_order_and_number_of_finished_lendings(query: str, first: int, count: int) -> None:
    answer = ask(f"lending/finished-lendings{query}", ADDED, ANN_REGISTERED, *LENDINGS)
    assert (answer["Position"], answer["Total"], len(answer["Lendings"])) == (242, 120, count)
    assert answer["Lendings"][0] == {
        "BookID": book_id(first),
        "Title": "",
        "ReaderID": ANN,
        "ReaderName": "Ann",
        "LentAt": (NOON + timedelta(minutes=first)).isoformat(),
        "ReturnedAt": (NOON + timedelta(minutes=first)).isoformat(),
    }


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("order=random", "order", "newest or oldest, please."),
        ("order=", "order", "newest or oldest, please."),
        ("limit=0", "limit", "A number from 1 to 1000, please."),
        ("limit=1001", "limit", "A number from 1 to 1000, please."),
        ("limit=-1", "limit", "Not a whole number."),
        ("limit=ten", "limit", "Not a whole number."),
        ("limit=", "limit", "Not a whole number."),
        ("colour=red", "colour", "There is no such parameter."),
    ],
)
def test_a_wrong_parameter_is_named(query: str, field: str, sentence: str) -> None:
    response = Shop().browser.get(f"/api/lending/finished-lendings?{query}")
    assert response.status_code == 422
    assert json_of(response)["errors"]["query"] == {field: [sentence]}


def test_the_parameters_are_documented() -> None:
    shop = Shop(documented=True)
    with shop.app.app_context():
        document = shop.app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    order, limit = document["paths"]["/api/lending/finished-lendings"]["get"]["parameters"]
    assert (order["name"], order["schema"]["enum"], order["required"]) == ("order", ["newest", "oldest"], False)
    assert (limit["name"], limit["schema"]["minimum"], limit["schema"]["maximum"]) == ("limit", 1, 1000)
