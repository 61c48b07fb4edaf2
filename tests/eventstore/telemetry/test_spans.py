"""What a span says of a query, an append and a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    Filter,
    InMemoryEventStore,
    SequencedEvent,
    StorableEvent,
    StoreUnavailable,
)
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import (
    ABOUT_ANN,
    DURATION,
    EVERYTHING,
    NOON,
    TARGET,
    WITHOUT_VALUES,
    Telemetry,
    lent,
)
from tests.wrapped_store import WrappedStore


def test_a_query_says_what_was_asked_and_found(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent("bob"))
    watched.append(lent(), lent(), lent("bob"))
    watched.query(ABOUT_ANN, backwards=True, consistency=Consistency.EVENTUAL)
    assert telemetry.last.name == "query events"
    assert telemetry.last.kind is SpanKind.CLIENT
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "query",
        "eventstore.filter": WITHOUT_VALUES,
        "eventstore.filter_items": 2,
        "eventstore.consistency": "eventual",
        "eventstore.events": 2,
        "eventstore.first_sequence_number": 2,
        "eventstore.last_sequence_number": 3,
        "eventstore.position": 4,
    }


def test_a_query_that_finds_nothing_says_so(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.query(EVERYTHING)
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "query",
        "eventstore.filter": "any event",
        "eventstore.filter_items": 0,
        "eventstore.consistency": "strong",
        "eventstore.events": 0,
        "eventstore.position": 0,
    }


def test_an_append_says_what_was_stored_under_which_guard(
    watched: InstrumentedEventStore, telemetry: Telemetry
) -> None:
    watched.append(lent("bob"))
    returned = StorableEvent.build("BookReturned", NOON, payload=b"{}")
    watched.append(lent(), returned, lent(), condition=AppendCondition(ABOUT_ANN, 1))
    assert telemetry.last.name == "append events"
    assert telemetry.last.kind is SpanKind.CLIENT
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "append",
        "eventstore.filter": WITHOUT_VALUES,
        "eventstore.filter_items": 2,
        "eventstore.after": 1,
        "eventstore.events": 3,
        "eventstore.event_types": ("BookLent", "BookReturned"),
        "eventstore.first_sequence_number": 2,
        "eventstore.last_sequence_number": 4,
    }


def test_an_unguarded_append_names_no_filter(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent())
    assert telemetry.told("filter") is None
    assert telemetry.told("after") is None


def test_system_and_collection_are_what_the_application_says(telemetry: Telemetry) -> None:
    telemetry.over(InMemoryEventStore(), system="memory", collection="").query(EVERYTHING)
    attributes = telemetry.last.attributes or {}
    assert telemetry.last.name == "query"
    assert attributes["db.system.name"] == "memory"
    assert "db.collection.name" not in attributes


def test_values_that_filters_look_for_are_told_only_on_demand(engine: EventStore, telemetry: Telemetry) -> None:
    telemetry.over(engine, predicate_values=True).query(ABOUT_ANN)
    assert telemetry.told("filter") == str(ABOUT_ANN)


def test_a_stream_is_one_span_up_to_its_last_event(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent(), lent(), lent("bob"), lent())
    events = watched.stream(ABOUT_ANN)
    assert [next(events).sequence_number for _ in range(3)] == [1, 2, 4]
    assert "stream events" not in telemetry.names
    assert list(events) == []
    assert list(events) == []
    assert telemetry.names.count("stream events") == 1
    assert telemetry.last.attributes == {
        **TARGET,
        "db.operation.name": "stream",
        "eventstore.filter": WITHOUT_VALUES,
        "eventstore.filter_items": 2,
        "eventstore.events": 3,
        "eventstore.first_sequence_number": 1,
        "eventstore.last_sequence_number": 4,
    }
    assert telemetry.last.kind is SpanKind.CLIENT
    assert telemetry.count(DURATION, "stream") == 1
    assert telemetry.events("stream") == 3


def test_a_stream_that_is_given_up_ends_its_span(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent(), lent(), lent())
    for event in watched.stream(EVERYTHING):
        if event.sequence_number == 2:
            break
    assert telemetry.last.name == "stream events"
    assert telemetry.told("events") == 2
    assert telemetry.told("last_sequence_number") == 2
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert telemetry.count(DURATION, "stream") == 1


def test_a_stream_that_nobody_begins_ends_its_span(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.stream(EVERYTHING)
    assert telemetry.names == ["stream events"]
    assert telemetry.told("events") == 0


def test_a_stream_is_bounded_by_the_head_at_its_call(watched: InstrumentedEventStore) -> None:
    watched.append(lent())
    events = watched.stream(EVERYTHING)
    watched.append(lent())
    assert [event.sequence_number for event in events] == [1]


@dataclass
class BreakingStore(WrappedStore):
    """A store whose streams break after the first event."""

    error: Exception = field(default_factory=lambda: StoreUnavailable("gone", outcome_unknown=False))

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        yield next(self.inner.stream(filter))
        raise self.error


def test_a_stream_that_breaks_says_why(engine: EventStore, telemetry: Telemetry) -> None:
    engine.append(lent(), lent())
    breaking = BreakingStore(engine)
    events = telemetry.over(breaking).stream(EVERYTHING)
    assert next(events).sequence_number == 1
    with pytest.raises(StoreUnavailable) as caught:
        next(events)
    assert caught.value is breaking.error
    assert telemetry.last.status.status_code is StatusCode.ERROR
    assert telemetry.told("events") == 1
    assert [recorded.name for recorded in telemetry.last.events] == ["exception"]
    assert telemetry.count(DURATION, "stream", {"error.type": "StoreUnavailable"}) == 1


def test_what_goes_wrong_in_the_reader_is_no_error_of_the_stream(
    watched: InstrumentedEventStore, telemetry: Telemetry
) -> None:
    watched.append(lent(), lent())

    def read() -> None:
        for _ in watched.stream(EVERYTHING):
            raise LookupError

    with pytest.raises(LookupError):
        read()
    assert telemetry.last.name == "stream events"
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert not telemetry.last.events
