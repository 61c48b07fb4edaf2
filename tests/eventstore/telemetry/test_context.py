"""Where spans belong: below the caller's, above the driver's, in whatever thread."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry import trace

from eventstore import EventStore, EventStream, Filter, InvalidFilter, SequencedEvent, StorableEvent
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import EVERYTHING, Telemetry, lent, parents
from tests.wrapped_store import WrappedStore


@dataclass
class TracedStore(WrappedStore):
    """A store with a driver that opens spans of its own."""

    tracer: trace.Tracer = field(kw_only=True)

    def query(self, filter: Filter, **options: Any) -> EventStream:
        with self.tracer.start_as_current_span("driver"):
            return self.inner.query(filter, **options)

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        for event in self.inner.stream(filter):
            with self.tracer.start_as_current_span("driver"):
                pass
            yield event

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        with self.tracer.start_as_current_span("driver"):
            return self.inner.append(first, *more, **options)


def test_spans_are_children_of_the_current_one_and_parents_of_the_drivers(
    engine: EventStore, telemetry: Telemetry
) -> None:
    tracer = telemetry.tracers.get_tracer("test")
    store = telemetry.over(TracedStore(engine, tracer=tracer))
    with tracer.start_as_current_span("request") as request:
        store.append(lent())
        store.query(EVERYTHING)
        for _ in store.stream(EVERYTHING):
            assert trace.get_current_span() is request
            tracer.start_span("reader").end()
        assert trace.get_current_span() is request
    assert parents(telemetry) == [
        ("driver", "append events"),
        ("append events", "request"),
        ("driver", "query events"),
        ("query events", "request"),
        ("driver", "stream events"),
        ("reader", "request"),
        ("stream events", "request"),
        ("request", ""),
    ]


def test_the_current_span_is_restored_after_an_error(
    watched_memory: InstrumentedEventStore, telemetry: Telemetry
) -> None:
    with telemetry.tracers.get_tracer("test").start_as_current_span("request") as request:
        with pytest.raises(InvalidFilter):
            watched_memory.query(EVERYTHING, limit=0)
        assert trace.get_current_span() is request


def test_a_thread_has_the_parent_that_it_was_given(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    with ThreadPoolExecutor(2) as threads, telemetry.tracers.get_tracer("test").start_as_current_span("request"):
        threads.submit(copy_context().run, watched.query, EVERYTHING).result()
        threads.submit(watched.query, EVERYTHING).result()
    assert parents(telemetry) == [("query events", "request"), ("query events", ""), ("request", "")]


def test_a_stream_may_wander_from_thread_to_thread(watched: InstrumentedEventStore, telemetry: Telemetry) -> None:
    watched.append(lent(), lent())
    with telemetry.tracers.get_tracer("test").start_as_current_span("request"):
        events = watched.stream(EVERYTHING)
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(next, events).result() is not None
        assert len(list(events)) == 1
    assert parents(telemetry)[-2:] == [("stream events", "request"), ("request", "")]
