"""A request that is sent again after an outage, or while a slow process is still at it, is carried out once."""

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
from tests.library_app.library import BOOK, NAME, READER

Log = Callable[[], tuple[SequencedEvent, ...]]


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


class CannotAbandon(InMemoryIdempotencyRecords):
    """The store is gone for good."""

    def abandon(self, key: str, token: UUID) -> None:
        raise StoreUnavailable("gone for good", outcome_unknown=False)


def test_who_cannot_give_a_claim_back_is_told_that_the_command_may_have_happened(config: Config) -> None:
    store = Flaky()
    client = create_app(store, config=config, idempotency=CannotAbandon()).test_client()
    store.failing, store.carried_out = 5, True
    answer = client.post("/api/lending/register-reader", json=NAME, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 503
    assert answer.json is not None
    assert "repeat it with the same Idempotency-Key" in answer.json["detail"]


class LosesAnAnswer(InMemoryIdempotencyRecords):
    """Cannot keep the first answer."""

    def finish(self, key: str, token: UUID, answer: JsonAnswer) -> None:
        if not self.lost:
            self.lost = True
            raise StoreUnavailable("gone", outcome_unknown=True)
        super().finish(key, token, answer)

    lost = False


def test_what_is_in_the_log_and_could_not_be_recorded_is_answered_to_whoever_asks_again(config: Config) -> None:
    store = InMemoryEventStore()
    client = create_app(store, config=config, idempotency=LosesAnAnswer()).test_client()
    for status in (503, 201, 201):
        answer = client.post("/api/lending/register-reader", json=NAME, headers={"Idempotency-Key": "k"})
        assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["Events"] == [{"SequenceNumber": 1, "EventType": "ReaderRegistered"}]
    assert store.query(FilterBuilder().matching_any_event()).position == 1


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
