"""What programs get: statuses, bodies, problems, and the OpenAPI document."""

from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from eventstore import FilterBuilder
from slices.command_loop import TooMuchContention
from slices.outcome import Attempt, Conflict, Report
from slices.testing import stored
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
)
from tests.slices.test_boundaries import FOLDERS
from tests.slices.web.shop import Shop

LEND = "/api/lending/lend-book-to-reader"
A_COPY = {
    "ISBN": "978-1-098-10013-1",
    "Title": "Learning Domain-Driven Design",
    "Authors": "Vlad Khononov",
    "Edition": "First Edition",
    "Publisher": "O'Reilly",
    "PublicationYear": 2021,
}


def post(shop: Shop, path: str, **body: Any) -> TestResponse:
    return shop.browser.post(path, json=body)


def json_of(response: TestResponse) -> dict[str, Any]:
    body = response.get_json()
    assert isinstance(body, dict)
    return body


def test_a_done_command_is_201_with_its_events_and_report() -> None:
    response = post(Shop(stored(ADDED, BOB_REGISTERED)), LEND, BookID=BOOK, ReaderID=BOB)
    body = json_of(response)
    assert (response.status_code, response.mimetype) == (201, "application/json")
    assert (body["Outcome"], body["BookID"], body["ReaderID"]) == ("appended", BOOK, BOB)
    assert body["Events"] == [{"SequenceNumber": 3, "EventType": "BookCopyLentToReader"}]
    report = body["Report"]
    assert (report["Attempts"], report["ReadUpTo"], report["EventsRead"], report["Conflicts"]) == (1, 2, 2, [])


def test_nothing_to_do_is_200() -> None:
    response = post(Shop(stored(ADDED, BOB_REGISTERED, LENT_TO_BOB)), LEND, BookID=BOOK, ReaderID=BOB)
    assert response.status_code == 200
    assert (json_of(response)["Outcome"], json_of(response)["Events"]) == ("nothing", [])


def test_a_refusal_is_a_409_problem_with_its_failure_event() -> None:
    response = post(Shop(stored(ADDED, BOB_REGISTERED, LENT_TO_ANN)), LEND, BookID=BOOK, ReaderID=BOB)
    body = json_of(response)
    assert (response.status_code, response.mimetype) == (409, "application/problem+json")
    assert body["type"] == "urn:dynamic-event-streams:rejection:BookAlreadyLent"
    assert (body["title"], body["status"], body["reason"]) == ("Book already lent", 409, "BookAlreadyLent")
    assert body["detail"] == "The copy is lent to another reader."
    assert (body["Outcome"], body["failure_event"]) == ("rejected", 4)
    assert body["Events"] == [{"SequenceNumber": 4, "EventType": "LendingBookToReaderFailed"}]


def test_a_refusal_without_a_record_has_no_failure_event() -> None:
    shop = Shop()
    course = {"CourseID": BOOK, "Title": "Latin"}
    post(shop, "/api/enrollment/define-course", **course, Capacity=2)
    response = post(shop, "/api/enrollment/define-course", **course, Capacity=3)
    assert (response.status_code, json_of(response)["failure_event"]) == (409, None)


def test_two_spellings_of_one_id_lend_one_copy_once() -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, BOB_REGISTERED))
    assert post(shop, LEND, BookID=BOOK, ReaderID=ANN).status_code == 201
    for spelling in (BOOK.upper(), BOOK.replace("-", ""), f"{{{BOOK}}}", f"urn:uuid:{BOOK}"):
        response = post(shop, LEND, BookID=spelling, ReaderID=BOB.upper())
        assert json_of(response)["reason"] == "BookAlreadyLent"
        assert json_of(response)["BookID"] == BOOK
    assert post(shop, LEND, BookID=BOOK.upper(), ReaderID=ANN.upper()).status_code == 200


@pytest.mark.parametrize(
    ("path", "key", "body"),
    [
        ("/api/lending/add-book-copy-to-circulation", "BookID", A_COPY),
        ("/api/lending/register-reader", "ReaderID", {"Name": "Ann"}),
        ("/api/enrollment/define-course", "CourseID", {"Title": "Latin", "Capacity": 20}),
        ("/api/enrollment/register-student", "StudentID", {"Name": "Eve"}),
    ],
)
def test_what_has_no_id_yet_gets_a_new_one_and_may_have_its_own(path: str, key: str, body: dict[str, Any]) -> None:
    shop = Shop()
    first, second = post(shop, path, **body), post(shop, path, **body)
    assert (first.status_code, second.status_code) == (201, 201)
    assert UUID(json_of(first)[key]).version == 7
    assert json_of(first)[key] != json_of(second)[key]
    named = post(shop, path, **body, **{key: BOOK.upper()})
    assert (named.status_code, json_of(named)[key]) == (201, BOOK)
    assert post(shop, path, **body, **{key: BOOK}).status_code == 200


def test_every_command_answers_programs() -> None:
    shop = Shop()
    post(shop, "/api/lending/add-book-copy-to-circulation", **A_COPY, BookID=BOOK)
    post(shop, "/api/lending/register-reader", Name="Ann", ReaderID=ANN)
    assert post(shop, LEND, BookID=BOOK, ReaderID=ANN).status_code == 201
    assert post(shop, "/api/lending/return-book-from-reader", BookID=BOOK, ReaderID=ANN).status_code == 201
    post(shop, "/api/enrollment/define-course", Title="Latin", Capacity=1, CourseID=BOOK)
    post(shop, "/api/enrollment/register-student", Name="Eve", StudentID=ANN)
    assert post(shop, "/api/enrollment/enroll-student", CourseID=BOOK, StudentID=ANN).status_code == 201
    assert shop.edge.routes[2:4] == ["lending/lend-book-to-reader", "lending/return-book-from-reader"]


@pytest.mark.parametrize(
    ("body", "key", "message"),
    [
        ({"BookID": "7", "ReaderID": BOB}, "BookID", "Not a valid UUID."),
        ({"BookID": BOOK}, "ReaderID", "This is needed."),
        ({"BookID": BOOK, "ReaderID": BOB, "OccurredAt": "1999-01-01T00:00:00Z"}, "OccurredAt", "no such field"),
    ],
)
def test_malformed_input_is_422_and_makes_no_event(body: dict[str, Any], key: str, message: str) -> None:
    store = stored(ADDED, BOB_REGISTERED)
    response = post(Shop(store), LEND, **body)
    assert response.status_code == 422
    assert message in json_of(response)["errors"]["json"][key][0]
    assert store.query(FilterBuilder().matching_any_event()).position == 2


@pytest.mark.parametrize("sent", ["[]", '"x"', "null", "7"])
def test_a_body_that_is_no_object_is_422(sent: str) -> None:
    assert Shop().browser.post(LEND, data=sent, content_type="application/json").status_code == 422


def test_a_form_of_another_site_is_no_json() -> None:
    response = Shop(stored(ADDED, BOB_REGISTERED)).browser.post(LEND, data={"BookID": BOOK, "ReaderID": BOB})
    assert response.status_code == 422


def test_a_known_key_is_answered_without_deciding() -> None:
    shop = Shop(stored(ADDED, BOB_REGISTERED))
    shop.edge.known = (409, {"reason": "BookAlreadyLent"})
    response = post(shop, LEND, BookID=BOOK, ReaderID=BOB)
    assert (response.status_code, response.mimetype) == (409, "application/problem+json")
    assert response.get_json() == {"reason": "BookAlreadyLent"}


def test_contention_is_left_to_the_application() -> None:
    report = Report((Attempt(0, 1, 1, 0, 0, 0, 1, Conflict(2, "BookCopyLentToReader", "an item", 1)),))
    error = TooMuchContention(report)
    shop = Shop()

    def raise_it(*_: object) -> Any:
        raise error

    shop.edge.once = raise_it  # type: ignore[method-assign, assignment]
    with pytest.raises(TooMuchContention):
        post(shop, LEND, BookID=BOOK, ReaderID=BOB)


def test_questions_are_answered_with_their_position() -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, LENT_TO_ANN))
    body = json_of(shop.browser.get("/api/lending/books-in-circulation"))
    assert body["Position"] == 3
    assert body["Books"][0] == {
        "BookID": BOOK,
        "ISBN": "9781098100131",
        "Title": "Learning Domain-Driven Design",
        "Authors": "Vlad Khononov",
        "Edition": "First Edition",
        "Publisher": "O'Reilly Media, Inc.",
        "PublicationYear": 2021,
        "AddedAt": "2025-07-01T12:00:00+00:00",
        "IsLent": True,
        "HeldFor": None,
    }
    readers = json_of(shop.browser.get("/api/lending/registered-readers"))
    assert readers == {
        "Position": 3,
        "Readers": [{"ReaderID": ANN, "Name": "Ann", "RegisteredAt": "2025-07-01T12:00:00+00:00"}],
    }
    ann = json_of(shop.browser.get(f"/api/lending/books-lent-by-reader/{ANN.upper()}"))
    assert (ann["Position"], ann["ReaderID"], ann["IsRegistered"]) == (3, ANN, True)
    assert [loan["Title"] for loan in ann["Loans"]] == ["Learning Domain-Driven Design"]


def test_questions_of_the_school_are_answered_too() -> None:
    shop = Shop()
    post(shop, "/api/enrollment/define-course", Title="Latin", Capacity=2, CourseID=BOOK)
    post(shop, "/api/enrollment/register-student", Name="Eve", StudentID=ANN)
    post(shop, "/api/enrollment/enroll-student", CourseID=BOOK, StudentID=ANN)
    catalogue = json_of(shop.browser.get("/api/enrollment/course-catalogue"))
    assert catalogue["Position"] == 3
    assert catalogue["Courses"] == [{"CourseID": BOOK, "Title": "Latin", "Capacity": 2, "SeatsLeft": 1}]
    roster = json_of(shop.browser.get(f"/api/enrollment/course-roster/{BOOK}"))
    assert [student["Name"] for student in roster["Students"]] == ["Eve"]
    assert (roster["Position"], roster["SeatsLeft"]) == (3, 1)
    assert json_of(shop.browser.get("/api/enrollment/registered-students"))["Students"][0]["StudentID"] == ANN


@pytest.mark.parametrize("path", ["/api/lending/books-lent-by-reader/", "/api/enrollment/course-roster/"])
def test_an_unknown_id_is_404(path: str) -> None:
    browser = Shop().browser
    assert browser.get(path + BOOK).status_code == 404
    assert browser.get(path + "7").status_code == 404


def test_the_openapi_document_describes_every_command_and_question_and_no_page() -> None:
    shop = Shop(documented=True)
    with shop.app.app_context():
        document = shop.app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    assert len(document["paths"]) == len(FOLDERS)
    assert all(path.startswith("/api/") for path in document["paths"])
    lend = document["paths"][LEND]["post"]
    assert lend["tags"] == ["Lending"]
    assert {"200", "201", "409", "422"} <= set(lend["responses"])
    assert lend["parameters"][0]["name"] == "Idempotency-Key"
    body = document["components"]["schemas"]["AddBookCopyToCirculationBody"]
    assert body["properties"]["BookID"]["format"] == "uuid"
    assert body["properties"]["PublicationYear"]["type"] == "integer"
    assert set(body["required"]) == set(A_COPY)
