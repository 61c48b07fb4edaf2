"""A request that is sent again is carried out once, and answered in the same words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from eventstore import (
    AppendCondition,
    FilterBuilder,
    InMemoryEventStore,
    SequencedEvent,
    StorableEvent,
    StoreUnavailable,
)
from library_app import Config, create_app
from library_app.edge import FlaskCommandEdge
from library_app.idempotency import InMemoryIdempotencyRecords
from slices.command_loop import CommandLoop
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.handler import RegisterReaderHandler
from slices.origin import Origin
from slices.questions import Replaying
from slices.web import JsonAnswer, json_answer

READER = "0190a000-0000-7000-8000-00000000000a"
OTHER = "0190a000-0000-7000-8000-00000000000b"
BOOK = "0190a000-0000-7000-8000-0000000000b1"
COPY = {
    "BookID": BOOK,
    "ISBN": "9781098100131",
    "Title": "Learning Domain-Driven Design",
    "Authors": "Vlad Khononov",
    "Edition": "First Edition",
    "Publisher": "O'Reilly Media",
    "PublicationYear": 2021,
}
LEND = "lending/lend-book-to-reader"
RETURN = "lending/return-book-from-reader"

NAME = {"Name": "Ann"}

Log = Callable[[], tuple[SequencedEvent, ...]]


@pytest.fixture
def library(post: Any) -> None:
    """One copy, two readers."""
    post("lending/add-book-copy-to-circulation", COPY)
    post("lending/register-reader", {"ReaderID": READER, "Name": "Ann"})
    post("lending/register-reader", {"ReaderID": OTHER, "Name": "Bob"})


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


class Flaky(InMemoryEventStore):
    """Loses the connection at one append: before it was carried out, or after."""

    def __init__(self) -> None:
        super().__init__()
        self.failing = 0
        self.carried_out = False

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        if not self.failing:
            return super().append(first, *more, condition=condition)
        if self.carried_out:
            super().append(first, *more, condition=condition)
        self.failing -= 1
        raise StoreUnavailable("gone", outcome_unknown=self.carried_out)


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_request_that_found_no_store_can_be_repeated_at_once(
    config: Config, noon: datetime, carried_out: bool
) -> None:
    store = Flaky()
    client = create_app(store, config=config, clock=lambda: noon).test_client()
    store.failing, store.carried_out = (5 if carried_out else 1), carried_out
    for status in (503, 201):
        answer = client.post("/api/lending/register-reader", json=NAME, headers={"Idempotency-Key": "k"})
        assert answer.status_code == status
        assert ("Retry-After" in answer.headers) == (status == 503)
    assert answer.json is not None
    assert answer.json["Events"] == [{"SequenceNumber": 1, "EventType": "ReaderRegistered"}]
    assert len(store._records) == 1


def test_who_was_slow_and_not_dead_writes_once_too(
    app: Flask, memory: InMemoryEventStore, seconds: Any, noon: datetime
) -> None:
    """The claim is taken over while nothing is in the log yet, and then both write."""
    edge = FlaskCommandEdge(
        memory, Replaying(memory), InMemoryIdempotencyRecords(seconds), lambda: noon, email_key="a key"
    )
    loop = CommandLoop(memory)

    def refuse(now: datetime, origin: Origin) -> JsonAnswer:
        command = LendBookToReader(BOOK, READER, now)
        return json_answer(command, LendBookToReaderHandler(loop).handle(command, origin))

    def register(now: datetime, origin: Origin) -> JsonAnswer:
        command = RegisterReader(READER, "Ann", now)
        return json_answer(command, RegisterReaderHandler(loop).handle(command, origin))

    answers: list[JsonAnswer] = []

    def slow(now: datetime, origin: Origin) -> JsonAnswer:
        seconds.now += 31
        with app.test_request_context(headers={"Idempotency-Key": "k"}):
            answers.append(edge.once("r", {}, ("BookID", "ReaderID"), refuse))
        return register(now, origin)

    with app.test_request_context(headers={"Idempotency-Key": "k"}):
        answers.append(edge.once("r", {}, ("BookID", "ReaderID"), slow))
    assert [status for status, _ in answers] == [409, 409]
    assert answers[0][1]["reason"] == answers[1][1]["reason"] == "ReaderNotRegistered"
    assert memory.query(FilterBuilder().matching_any_event()).position == 1
