"""A request that is sent again is carried out once, and answered in the same words."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from eventstore import SequencedEvent
from library_app.idempotency import InMemoryIdempotencyRecords
from slices.web import JsonAnswer
from tests.library_app.library import BOOK, LEND, NAME, OTHER, READER, RETURN

Log = Callable[[], tuple[SequencedEvent, ...]]


def test_the_same_key_gives_the_same_answer_and_one_event(post: Any, log: Log) -> None:
    first = post("lending/register-reader", {"Name": "Ann"}, key="k")
    again = post("lending/register-reader", {"Name": " Ann "}, key="k")
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(log()) == 1


def test_without_a_key_nothing_is_remembered(post: Any, log: Log) -> None:
    post("lending/register-reader", {"Name": "Ann"})
    post("lending/register-reader", {"Name": "Ann"})
    assert len(log()) == 2


@pytest.mark.usefixtures("library")
def test_a_refusal_is_repeated_even_if_the_world_has_changed(post: Any, log: Log) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": OTHER})
    refused = post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    post(RETURN, {"BookID": BOOK, "ReaderID": OTHER})
    before = len(log())
    again = post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    assert refused.status_code == again.status_code == 409
    assert refused.mimetype == again.mimetype == "application/problem+json"
    assert refused.data == again.data
    assert len(log()) == before


@pytest.mark.usefixtures("library")
def test_nothing_to_do_is_remembered_too(post: Any, log: Log) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": READER})
    nothing = post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    post(RETURN, {"BookID": BOOK, "ReaderID": READER})
    again = post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    assert (nothing.status_code, nothing.json["Outcome"]) == (200, "nothing")
    assert again.data == nothing.data
    assert log()[-1].event_type == "BookCopyReturnedByReader"


@pytest.mark.usefixtures("library")
def test_two_spellings_of_one_id_are_one_request(post: Any) -> None:
    first = post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    again = post(LEND, {"ReaderID": "{" + READER.upper() + "}", "BookID": BOOK.replace("-", "")}, key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.data == again.data


@pytest.mark.usefixtures("library")
def test_a_key_stands_for_one_body_and_one_route(post: Any, log: Log) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": READER}, key="k")
    before = len(log())
    for answer in (
        post(LEND, {"BookID": BOOK, "ReaderID": OTHER}, key="k"),
        post(RETURN, {"BookID": BOOK, "ReaderID": READER}, key="k"),
    ):
        assert answer.status_code == 422
        assert "another request" in answer.json["detail"]
    assert len(log()) == before


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "schlüssel", "a\tb"])
def test_a_malformed_key_is_refused(post: Any, log: Log, key: str) -> None:
    answer = post("lending/register-reader", {"Name": "Ann"}, key=key)
    assert answer.status_code == 400
    assert "1 to 255 visible ASCII" in answer.json["detail"]
    assert log() == ()
    assert post("lending/register-reader", {"Name": "Ann"}, key="~" * 255).status_code == 201


def test_invalid_requests_do_not_use_a_key_up(post: Any) -> None:
    assert post("lending/register-reader", {"Name": ""}, key="k").status_code == 422
    assert post("lending/register-reader", {"Name": "Ann"}, key="k").status_code == 201


def test_while_a_request_is_carried_out_its_key_is_taken(post: Any) -> None:
    answers: list[Any] = []
    with asked_again_while_finishing(lambda: answers.append(post("lending/register-reader", NAME, key="k"))):
        assert post("lending/register-reader", NAME, key="k").status_code == 201
    assert answers[0].status_code == 409
    assert int(answers[0].headers["Retry-After"]) >= 1


class asked_again_while_finishing:  # noqa: N801 - reads as a phrase
    """Do something at the moment when a request is about to record its answer."""

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do

    def __enter__(self) -> None:
        finish, do = InMemoryIdempotencyRecords.finish, self._do

        def interrupted(records: InMemoryIdempotencyRecords, key: str, token: UUID, answer: JsonAnswer) -> None:
            do()
            finish(records, key, token, answer)

        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(InMemoryIdempotencyRecords, "finish", interrupted)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
