"""What is told of subscriptions: one span for each batch, none for waiting."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from eventstore import Batch, Filter, InMemoryEventStore, InvalidFilter, SequencedEvent, StoreUnavailable, Subscription
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import (
    ABOUT_ANN,
    DURATION,
    EVENTS,
    EVERYTHING,
    TARGET,
    WITHOUT_VALUES,
    Telemetry,
    lent,
    parents,
)
from tests.wrapped_store import WrappedStore


@dataclass
class Script:
    """A subscription that delivers what a test has written down, and ends or fails afterwards."""

    batches: list[Batch]
    error: Exception | None = None
    calls: list[str] = field(default_factory=list[str])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        if self.batches:
            return self.batches.pop(0)
        raise self.error or StopIteration

    def close(self) -> None:
        self.calls.append("closed")

    def __enter__(self) -> Self:
        self.calls.append("entered")
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("left")


@dataclass
class ScriptedStore(WrappedStore):
    script: Script
    asked: list[object] = field(default_factory=list[object])

    def subscribe(self, filter: Filter, after: int = 0, **options: Any) -> Subscription:
        self.asked = [filter, after, options]
        if filter.up_to is not None:
            raise InvalidFilter("a subscription has no end")
        return self.script


def batch(position: int, *numbers: int) -> Batch:
    return Batch(tuple(stored(number) for number in numbers), position)


def stored(number: int) -> SequencedEvent:
    event = lent()
    return SequencedEvent(number, event.event_id, event.event_type, event.occurred_at, event.payload, event.metadata)


def following(telemetry: Telemetry, batches: Sequence[Batch], error: Exception | None = None) -> InstrumentedEventStore:
    return telemetry.over(ScriptedStore(InMemoryEventStore(), Script(list(batches), error)))


def test_a_batch_is_one_span(telemetry: Telemetry) -> None:
    subscription = following(telemetry, [batch(9, 4, 6, 7)]).subscribe(ABOUT_ANN, 3)
    assert telemetry.names == ["subscribe events"]
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "subscribe",
        "eventstore.filter": WITHOUT_VALUES,
        "eventstore.filter_items": 2,
        "eventstore.after": 3,
    }
    next(subscription)
    assert telemetry.names == ["subscribe events", "deliver events"]
    assert telemetry.last.kind is SpanKind.CLIENT
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "deliver",
        "eventstore.events": 3,
        "eventstore.first_sequence_number": 4,
        "eventstore.last_sequence_number": 7,
        "eventstore.position": 9,
    }


def test_waiting_is_not_measured(telemetry: Telemetry) -> None:
    list(following(telemetry, [batch(1, 1), batch(3, 2, 3)]).subscribe(EVERYTHING))
    assert telemetry.count(EVENTS, "deliver") == 2
    assert telemetry.events("deliver") == 3
    assert telemetry.count(DURATION, "subscribe") == 1
    assert telemetry.count(DURATION, "deliver") == 0


def test_a_batch_without_events_is_no_news(telemetry: Telemetry) -> None:
    delivered = list(following(telemetry, [batch(1), batch(2, 2), batch(3)]).subscribe(EVERYTHING))
    assert [one.position for one in delivered] == [1, 2, 3]
    assert telemetry.names == ["subscribe events", "deliver events"]
    assert telemetry.count(EVENTS, "deliver") == 1


def test_the_end_of_a_subscription_is_no_error(telemetry: Telemetry) -> None:
    assert list(following(telemetry, []).subscribe(EVERYTHING)) == []
    assert telemetry.names == ["subscribe events"]


def test_a_subscription_that_breaks_says_why(telemetry: Telemetry) -> None:
    error = StoreUnavailable("the pool is closed", outcome_unknown=False)
    subscription = following(telemetry, [batch(1, 1)], error).subscribe(EVERYTHING)
    next(subscription)
    with pytest.raises(StoreUnavailable) as caught:
        next(subscription)
    assert caught.value is error
    assert telemetry.names == ["subscribe events", "deliver events", "deliver events"]
    assert telemetry.last.status.status_code is StatusCode.ERROR
    assert [recorded.name for recorded in telemetry.last.events] == ["exception"]


def test_a_subscription_that_cannot_begin_says_why(telemetry: Telemetry) -> None:
    with pytest.raises(InvalidFilter):
        following(telemetry, []).subscribe(EVERYTHING.as_of(1))
    assert telemetry.last.status.status_code is StatusCode.ERROR
    assert telemetry.count(DURATION, "subscribe", {"error.type": "InvalidFilter"}) == 1


def test_batches_are_children_of_the_readers_span(telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("test")
    subscription = following(telemetry, [batch(1, 1), batch(2, 2), batch(3, 3)]).subscribe(EVERYTHING)
    with tracer.start_as_current_span("here"):
        next(subscription)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(next, subscription).result()
        with tracer.start_as_current_span("there"):
            threads.submit(copy_context().run, next, subscription).result()
    assert parents(telemetry)[1:] == [
        ("deliver events", "here"),
        ("here", ""),
        ("deliver events", ""),
        ("deliver events", "there"),
        ("there", ""),
    ]


def test_a_subscription_is_entered_left_and_closed(telemetry: Telemetry) -> None:
    script = Script([])
    store = ScriptedStore(InMemoryEventStore(), script)
    with telemetry.over(store).subscribe(EVERYTHING, 5, hint=1) as subscription:
        assert iter(subscription) is subscription
        subscription.close()
    assert script.calls == ["entered", "closed", "left"]
    assert store.asked == [EVERYTHING, 5, {"hint": 1}]
