"""What is wrong with a request is said as a problem (RFC 9457), by field, and never becomes an event."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventstore import Filter, InMemoryEventStore, SequencedEvent, StoreUnavailable
from library_app import Config, create_app

Log = Callable[[], tuple[SequencedEvent, ...]]

COPY: dict[str, Any] = {
    "ISBN": "978-1-098-10013-1",
    "Title": "Learning Domain-Driven Design",
    "Authors": "Vlad Khononov",
    "Edition": "First Edition",
    "Publisher": "O'Reilly Media",
    "PublicationYear": 2021,
}
READER = "0190a000-0000-7000-8000-00000000000a"
ADD, REGISTER = "lending/add-book-copy-to-circulation", "lending/register-reader"
LEND, DEFINE = "lending/lend-book-to-reader", "enrollment/define-course"

BAD_FIELDS: list[tuple[str, dict[str, Any], str]] = [
    (LEND, {"BookID": "not-a-uuid", "ReaderID": READER}, "BookID"),
    (LEND, {"BookID": READER + "0", "ReaderID": READER}, "BookID"),
    (LEND, {"BookID": 7, "ReaderID": READER}, "BookID"),
    (LEND, {"BookID": None, "ReaderID": READER}, "BookID"),
    (LEND, {"BookID": ["0190a000-0000-7000-8000-00000000000a"], "ReaderID": READER}, "BookID"),
    (LEND, {"ReaderID": READER}, "BookID"),
    (LEND, {"BookID": READER, "ReaderID": READER, "Fine": 3}, "Fine"),
    (REGISTER, {"Name": ""}, "Name"),
    (REGISTER, {"Name": "   "}, "Name"),
    (REGISTER, {"Name": "x" * 201}, "Name"),
    (REGISTER, {"Name": "two\nlines"}, "Name"),
    (REGISTER, {"Name": "nul\u0000"}, "Name"),
    (REGISTER, {"Name": 5}, "Name"),
    (REGISTER, {"Name": {"$ne": 1}}, "Name"),
    (REGISTER, {}, "Name"),
    (ADD, {**COPY, "ISBN": "978-1-098-10013-2"}, "ISBN"),
    (ADD, {**COPY, "ISBN": "123"}, "ISBN"),
    (ADD, {**COPY, "PublicationYear": -1}, "PublicationYear"),
    (ADD, {**COPY, "PublicationYear": 99999}, "PublicationYear"),
    (ADD, {**COPY, "PublicationYear": True}, "PublicationYear"),
    (ADD, {**COPY, "Title": "x" * 100_0}, "Title"),
    (DEFINE, {"Title": "Go", "Capacity": 0}, "Capacity"),
    (DEFINE, {"Title": "Go", "Capacity": -3}, "Capacity"),
    (DEFINE, {"Title": "Go", "Capacity": 10_001}, "Capacity"),
    (DEFINE, {"Title": "Go", "Capacity": 1.5}, "Capacity"),
    (DEFINE, {"Title": "Go", "Capacity": 10**30}, "Capacity"),
    (DEFINE, {"Title": "Go", "Capacity": "many"}, "Capacity"),
]


@pytest.mark.parametrize(("route", "body", "field"), BAD_FIELDS)
def test_a_bad_field_is_named_with_the_reason(post: Any, log: Log, route: str, body: Any, field: str) -> None:
    answer = post(route, body)
    assert answer.status_code == 422
    assert_is_problem(answer, 422)
    assert list(answer.json["errors"]) == [field]
    assert all(isinstance(reason, str) and reason for reason in answer.json["errors"][field])
    assert log() == ()


BAD_BODIES: list[tuple[bytes, str, int]] = [
    (b'{"Name": ', "application/json", 400),
    (b"", "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b'{"Name": NaN}', "application/json", 400),
    (b'{"Name": ' + b"9" * 5000 + b"}", "application/json", 400),
    (b'{"Name": ' + b"[" * 30_000, "application/json", 400),
    (b"[]", "application/json", 422),
    (b'"Ann"', "application/json", 422),
    (b"null", "application/json", 422),
    (b'{"Name": "\\ud800"}', "application/json", 422),
    (b"Name=Ann", "application/x-www-form-urlencoded", 415),
    (b'{"Name": "Ann"}', "text/plain", 415),
    (b'{"Name": "Ann"}', "", 415),
    (b'{"Name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BAD_BODIES)
def test_a_bad_body_is_refused(client: FlaskClient, log: Log, body: bytes, content_type: str, status: int) -> None:
    answer = client.post(f"/api/{REGISTER}", data=body, content_type=content_type)
    assert_is_problem(answer, status)
    assert log() == ()


def test_unknown_addresses_and_methods_are_problems(client: FlaskClient) -> None:
    assert_is_problem(client.get("/api/nothing"), 404)
    assert_is_problem(client.get("/api/events/7"), 404)
    assert_is_problem(client.post("/api/nothing", data="x"), 404)
    refused = client.delete(f"/api/{REGISTER}")
    assert_is_problem(refused, 405)
    assert "POST" in refused.headers["Allow"]


def test_a_refusal_of_the_rules_is_a_problem(post: Any, log: Log) -> None:
    answer = post(LEND, {"BookID": READER, "ReaderID": READER})
    assert answer.mimetype == "application/problem+json"
    assert (answer.status_code, answer.json["reason"]) == (409, "ReaderNotRegistered")
    assert [event.event_type for event in log()] == ["LendingBookToReaderFailed"]


class Broken(InMemoryEventStore):
    """A store that answers nothing."""

    error: Exception = StoreUnavailable("password=hunter2", outcome_unknown=False)

    def query(self, filter: Filter, **options: Any) -> Any:
        raise self.error


@pytest.fixture
def broken(config: Config) -> Flask:
    return create_app(Broken(), config=config)


def test_a_store_that_does_not_answer_is_a_503_with_a_time_to_retry(broken: Flask) -> None:
    answer = broken.test_client().get("/api/events")
    assert_is_problem(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert "hunter2" not in answer.text
    page = broken.test_client().get("/glass/events")
    assert page.status_code == 503
    assert page.headers["Retry-After"] == answer.headers["Retry-After"]
    assert "hunter2" not in page.text


def test_an_unexpected_error_is_logged_and_not_shown(
    broken: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "error", RuntimeError("secret internals"))
    for address in ("/api/events", "/glass/events"):
        caplog.clear()
        answer = broken.test_client().get(address)
        assert answer.status_code == 500
        assert "secret internals" not in answer.text
        assert "Traceback" not in answer.text
        assert "secret internals" in caplog.text
    assert_is_problem(broken.test_client().get("/api/events"), 500)


def assert_is_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"]
    assert answer.json["title"]
    assert answer.json["detail"]


def test_the_document_describes_the_commands_and_the_log(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").json
    assert document is not None
    assert document["openapi"].startswith("3.")
    assert {f"/api/{route}" for route in (ADD, REGISTER, LEND, DEFINE)} <= set(document["paths"])
    assert {"/api/events", "/api/events/{number}"} <= set(document["paths"])
    assert not [path for path in document["paths"] if not path.startswith("/api/")]
    parameters = {parameter["name"] for parameter in document["paths"]["/api/events"]["get"]["parameters"]}
    assert {"type", "BookID", "ReaderID", "StudentID", "CourseID", "before", "after", "limit"} == parameters
    assert {tag["name"] for tag in document["tags"]} == {"Lending", "Enrollment", "Events"}
    problem = document["components"]["responses"]["UNPROCESSABLE_ENTITY"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_the_browsable_page_is_served_from_here(client: FlaskClient) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "http" not in page.text.replace("http://localhost", "")
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        with client.get(f"/api/docs/{name}") as asset:
            assert asset.status_code == 200
    assert client.get("/api/docs/swagger-ui.js.map").status_code == 404
    assert client.get("/api").status_code == 200
