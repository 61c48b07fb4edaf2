"""Refusals are answers, errors are recorded once, and each operation is measured once."""

from collections.abc import Callable

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import StatusCode

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventIdReused,
    EventStore,
    InvalidFilter,
    PositionUnknown,
    SchemaMissing,
    StorableEvent,
)
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import (
    ABOUT_ANN,
    CONFLICTS,
    DURATION,
    EVENTS,
    EVERYTHING,
    NOON,
    Telemetry,
    lent,
)


def conflicts(telemetry: Telemetry, event_type: str, filter_item: str) -> int:
    what = {"eventstore.conflict.event_type": event_type, "eventstore.conflict.filter_item": filter_item}
    return telemetry.count(CONFLICTS, "append", what)


def test_a_conflict_is_an_answer_that_explains_itself(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    decided = watched.query(ABOUT_ANN)
    watched.append(lent("bob"))
    watched.append(lent())
    watched.append(lent("bob"))
    with pytest.raises(ConcurrencyConflict):
        watched.append(lent(), condition=decided.append_condition)
    item = "BookLent or BookReturned with ReaderID = ? or BookID = ?"
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert not telemetry.last.events
    assert telemetry.told("refusal") == "ConcurrencyConflict"
    assert telemetry.told("conflict.event_type") == "BookLent"
    assert telemetry.told("conflict.filter_item") == item
    assert telemetry.told("conflict.sequence_number") == 2
    assert telemetry.told("after") == 0
    assert (
        telemetry.count(
            CONFLICTS, "append", {"eventstore.conflict.event_type": "BookLent", "eventstore.conflict.filter_item": item}
        )
        == 1
    )
    assert telemetry.count(DURATION, "append", {"eventstore.refusal": "ConcurrencyConflict"}) == 1
    assert telemetry.count(DURATION, "append") == 3
    assert telemetry.events("append") == 3


def test_a_conflict_with_everything_names_any_event(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent())
    with pytest.raises(ConcurrencyConflict):
        watched.append(lent(), condition=AppendCondition(EVERYTHING, 0))
    assert (
        telemetry.count(
            CONFLICTS,
            "append",
            {"eventstore.conflict.event_type": "BookLent", "eventstore.conflict.filter_item": "any event"},
        )
        == 1
    )


def test_metrics_never_tell_the_values_that_filters_look_for(engine: EventStore, telemetry: Telemetry) -> None:
    store = telemetry.over(engine, predicate_values=True)
    store.append(lent())
    with pytest.raises(ConcurrencyConflict):
        store.append(lent(), condition=AppendCondition(ABOUT_ANN, 0))
    store.query(ABOUT_ANN)
    for metric in (DURATION, CONFLICTS, EVENTS):
        assert telemetry.points(metric)
        assert "ann" not in repr(list(telemetry.points(metric)))


def test_a_reused_event_id_is_a_refusal(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    stored = lent()
    watched.append(stored)
    other = StorableEvent.build("BookReturned", NOON, payload=b"{}", event_id=stored.event_id)
    with pytest.raises(EventIdReused):
        watched.append(other)
    assert telemetry.last.status.status_code is StatusCode.UNSET
    assert not telemetry.last.events
    assert telemetry.count(DURATION, "append", {"eventstore.refusal": "EventIdReused"}) == 1
    assert telemetry.events("append") == 1


def test_an_error_is_recorded_once_and_raised_as_it_is(pool: Pool, table: str, telemetry: Telemetry) -> None:
    with pytest.raises(SchemaMissing) as caught:
        telemetry.over(PostgresEventStore(pool, table)).query(EVERYTHING)
    [span] = telemetry.spans
    [recorded] = span.events
    assert recorded.name == "exception"
    assert (recorded.attributes or {})["exception.type"] == "eventstore.errors.SchemaMissing"
    assert (recorded.attributes or {})["exception.message"] == str(caught.value)
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == str(caught.value)
    assert (span.attributes or {})["error.type"] == "SchemaMissing"
    assert telemetry.count(DURATION, "query", {"error.type": "SchemaMissing"}) == 1
    assert telemetry.points(EVENTS) == {}


@pytest.mark.parametrize("operation", ["query", "stream", "append"])
def test_every_operation_says_that_it_failed(operation: str, pool: Pool, table: str, telemetry: Telemetry) -> None:
    store = telemetry.over(PostgresEventStore(pool, table))
    calls: dict[str, Callable[[], object]] = {
        "query": lambda: store.query(EVERYTHING),
        "stream": lambda: store.stream(EVERYTHING),
        "append": lambda: store.append(lent()),
    }
    with pytest.raises(SchemaMissing):
        calls[operation]()
    assert telemetry.names == [f"{operation} events"]
    assert telemetry.last.status.status_code is StatusCode.ERROR
    assert telemetry.count(DURATION, operation, {"error.type": "SchemaMissing"}) == 1


def test_a_position_of_another_store_is_an_error(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    with pytest.raises(PositionUnknown):
        watched.append(lent(), condition=AppendCondition(EVERYTHING, 9))
    assert telemetry.last.status.status_code is StatusCode.ERROR


def test_an_error_does_not_quote_what_led_to_it(watched_memory: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched_memory.append(lent())
    try:
        watched_memory.append(lent(), condition=AppendCondition(ABOUT_ANN, 0))
    except ConcurrencyConflict:
        with pytest.raises(PositionUnknown) as caught:
            watched_memory.query(EVERYTHING, at_least=9)
    assert '"ann"' in str(caught.value.__context__)
    stacktrace = str((telemetry.last.events[0].attributes or {})["exception.stacktrace"])
    assert "PositionUnknown" in stacktrace
    assert '"ann"' not in stacktrace


def test_an_unsampled_span_still_measures(engine: EventStore) -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    store = InstrumentedEventStore(engine, tracer_provider=trace.NoOpTracerProvider(), meter_provider=meters)
    store.append(lent())
    with pytest.raises(InvalidFilter):
        store.query(ABOUT_ANN, limit=0)
    assert reader.get_metrics_data() is not None
    meters.shutdown()


def test_each_operation_is_measured_once(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent(), lent())
    watched.append(lent())
    watched.query(ABOUT_ANN)
    for operation, calls, events in [("append", 2, 3), ("query", 1, 3)]:
        assert telemetry.count(DURATION, operation) == calls
        assert telemetry.count(EVENTS, operation) == calls
        assert telemetry.events(operation) == events
    assert len(telemetry.spans) == 3


def test_durations_have_the_buckets_of_the_conventions(
    watched_memory: InstrumentedEventStore, telemetry: Telemetry
) -> None:
    watched_memory.query(EVERYTHING)
    [point] = telemetry.points(DURATION).values()
    assert list(point.explicit_bounds) == [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]


def test_the_stale_check_of_the_engine_is_no_query_of_the_caller(
    store: PostgresEventStore, telemetry: Telemetry
) -> None:
    watched = telemetry.over(store)
    decided = watched.query(ABOUT_ANN)
    first, *more = [lent("bob") for _ in range(1_100)]
    watched.append(first, *more)
    watched.append(lent(), condition=decided.append_condition)
    assert telemetry.names == ["query events", "append events", "append events"]
    assert telemetry.count(DURATION, "query") == 1
