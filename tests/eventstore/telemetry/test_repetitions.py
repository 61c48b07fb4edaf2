"""Appends that are sent again, and that nothing is counted twice."""

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import NoOpTracerProvider, StatusCode

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventStore,
    InMemoryEventStore,
    StorableEvent,
    StoreUnavailable,
)
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.lossy_proxy import LossyProxy
from tests.eventstore.telemetry.recording import DURATION, EVERYTHING, REPEATED, Telemetry, lent
from tests.wrapped_store import WrappedStore


@dataclass
class ForgetfulStore(WrappedStore):
    """A store whose answers to appends get lost on demand, with or without the events."""

    failures: list[Exception] = field(default_factory=list[Exception])
    stores_nevertheless: bool = True

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        if not self.failures:
            return self.inner.append(first, *more, **options)
        if self.stores_nevertheless:
            self.inner.append(first, *more, **options)
        raise self.failures.pop(0)


def in_doubt() -> StoreUnavailable:
    return StoreUnavailable("no answer", outcome_unknown=True)


def repeated(telemetry: Telemetry, previous_outcome: str) -> int:
    return telemetry.count(REPEATED, "append", {"eventstore.previous_outcome": previous_outcome})


def test_an_append_whose_answer_was_lost_is_counted_once(
    dsn: str, store: PostgresEventStore, table: str, telemetry: Telemetry
) -> None:
    events = [lent(), lent()]
    with (
        tempfile.TemporaryDirectory(prefix="proxy-") as folder,
        LossyProxy(Path(folder), dsn) as proxy,
        open_pool(proxy.dsn, max_size=1) as pool,
    ):
        watched = telemetry.over(PostgresEventStore(pool, table))
        watched.query(EVERYTHING)
        proxy.lose_next_answer()
        with pytest.raises(StoreUnavailable):
            watched.append(*events)
        assert telemetry.told("outcome_unknown") is True
        assert telemetry.events("append") == 0
        assert watched.append(*events) == [1, 2]
    assert telemetry.told("previous_outcome") == "unknown"
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert repeated(telemetry, "unknown") == 1
    assert telemetry.events("append") == 2
    assert telemetry.count(DURATION, "append", {"error.type": "StoreUnavailable"}) == 1
    assert telemetry.count(DURATION, "append") == 1


def test_what_was_acknowledged_is_not_counted_again(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    events = [lent(), lent(), lent()]
    assert watched.append(*events) == [1, 2, 3]
    assert telemetry.told("previous_outcome") is None
    assert watched.append(*reversed(events)) == [3, 2, 1]
    assert telemetry.told("previous_outcome") == "acknowledged"
    assert telemetry.told("first_sequence_number") == 1
    assert repeated(telemetry, "acknowledged") == 1
    assert telemetry.events("append") == 3


def test_the_same_append_from_many_threads_is_counted_once(
    watched: InstrumentedEventStore, telemetry: Telemetry
) -> None:
    event = lent()
    together = threading.Barrier(4)

    def append() -> list[int]:
        together.wait(60)
        return watched.append(event)

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(append) for _ in range(4)]
        assert [answer.result() for answer in answers] == [[1]] * 4
    assert telemetry.events("append") == 1


def test_a_lost_answer_does_not_undo_an_acknowledgement(telemetry: Telemetry) -> None:
    forgetful = ForgetfulStore(InMemoryEventStore())
    watched, event = telemetry.over(forgetful), lent()
    watched.append(event)
    forgetful.failures = [in_doubt()]
    with pytest.raises(StoreUnavailable):
        watched.append(event)
    watched.append(event)
    assert repeated(telemetry, "acknowledged") == 2
    assert telemetry.events("append") == 1


def test_doubt_stays_until_the_store_answers(telemetry: Telemetry) -> None:
    refused = StoreUnavailable("too many connections", outcome_unknown=False)
    forgetful = ForgetfulStore(InMemoryEventStore(), [in_doubt(), refused])
    watched, event = telemetry.over(forgetful), lent()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            watched.append(event)
    assert telemetry.told("outcome_unknown") is False
    watched.append(event)
    assert repeated(telemetry, "unknown") == 2
    assert telemetry.events("append") == 1


def test_an_append_that_was_known_to_fail_is_not_repeated_but_new(telemetry: Telemetry) -> None:
    refused = StoreUnavailable("too many connections", outcome_unknown=False)
    watched, event = telemetry.over(ForgetfulStore(InMemoryEventStore(), [refused], stores_nevertheless=False)), lent()
    with pytest.raises(StoreUnavailable):
        watched.append(event)
    watched.append(event)
    assert telemetry.points(REPEATED) == {}


def test_a_conflict_ends_all_doubt(engine: EventStore, telemetry: Telemetry) -> None:
    engine.append(lent("bob"))
    watched = telemetry.over(ForgetfulStore(engine, [in_doubt()], stores_nevertheless=False))
    event, condition = lent(), AppendCondition(EVERYTHING, 0)
    with pytest.raises(StoreUnavailable):
        watched.append(event, condition=condition)
    with pytest.raises(ConcurrencyConflict):
        watched.append(event, condition=condition)
    assert repeated(telemetry, "unknown") == 1
    assert watched.append(event, condition=watched.query(EVERYTHING).append_condition) == [2]
    assert repeated(telemetry, "unknown") == 1
    assert telemetry.events("append") == 1


def test_only_the_latest_appends_are_remembered(telemetry: Telemetry) -> None:
    watched = telemetry.over(InMemoryEventStore(), tracer_provider=NoOpTracerProvider())
    oldest, kept = lent(), lent()
    watched.append(oldest)
    watched.append(kept)
    for _ in range(9_999):
        watched.append(lent("bob"))
    watched.append(kept)
    assert repeated(telemetry, "acknowledged") == 1
    watched.append(oldest)
    assert repeated(telemetry, "acknowledged") == 1
