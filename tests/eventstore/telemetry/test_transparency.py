"""Nothing of the store changes by telemetry, not even when telemetry fails or is missing."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    Consistency,
    EventIdReused,
    EventStore,
    EventStream,
    Filter,
    InMemoryEventStore,
    SchemaMissing,
    SequencedEvent,
    StorableEvent,
)
from eventstore.postgres import PostgresEventStore
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import ABOUT_ANN, EVERYTHING, Telemetry, lent
from tests.wrapped_store import WrappedStore


def test_an_append_joins_the_callers_transaction(dsn: str, store: PostgresEventStore, telemetry: Telemetry) -> None:
    watched = telemetry.over(store)
    with psycopg.connect(dsn) as connection:
        assert watched.append(lent(), connection=connection) == [1]
        assert len(watched.query(EVERYTHING)) == 0
    assert len(watched.query(EVERYTHING)) == 1


@dataclass
class RecordingStore(WrappedStore):
    """A store that keeps what it was asked and what it answered."""

    options: dict[str, Any] = field(default_factory=dict[str, Any])
    answers: list[object] = field(default_factory=list[object])

    def query(self, filter: Filter, **options: Any) -> EventStream:
        self.options = options
        stream = self.inner.query(filter)
        self.answers.append(stream)
        return stream

    def stream(self, filter: Filter, **options: Any) -> Iterator[SequencedEvent]:
        self.options = options
        return self.inner.stream(filter)

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        self.options = options
        numbers = self.inner.append(first, *more)
        self.answers.append(numbers)
        return numbers


def test_answers_and_keywords_are_handed_on_as_they_are(engine: EventStore, telemetry: Telemetry) -> None:
    recording = RecordingStore(engine)
    watched = telemetry.over(recording)
    condition = AppendCondition(EVERYTHING, 0)
    answers: list[object] = [watched.append(lent(), condition=condition, hint=1)]
    assert recording.options == {"condition": condition, "hint": 1}
    answers.append(watched.query(EVERYTHING, limit=3, backwards=True, at_least=1, hint=2))
    assert recording.options == {
        "limit": 3,
        "backwards": True,
        "consistency": Consistency.STRONG,
        "at_least": 1,
        "hint": 2,
    }
    assert len(list(watched.stream(EVERYTHING, hint=3))) == 1
    assert recording.options == {"hint": 3}
    assert [id(answer) for answer in answers] == [id(answer) for answer in recording.answers]


@dataclass
class FailingStore(WrappedStore):
    error: Exception

    def query(self, filter: Filter, **options: Any) -> EventStream:
        raise self.error

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise self.error


@pytest.mark.parametrize("error", [EventIdReused("known"), SchemaMissing("no table"), RuntimeError("a bug")])
def test_exceptions_are_handed_on_as_they_are(error: Exception, telemetry: Telemetry) -> None:
    watched = telemetry.over(FailingStore(InMemoryEventStore(), error))
    for call in (lambda: watched.query(EVERYTHING), lambda: watched.append(lent())):
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error
        assert error.__cause__ is None
        assert error.__context__ is None


class FailingSpanExporter(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise OSError("no collector")


class FailingMetricExporter(MetricExporter):
    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **options: Any) -> MetricExportResult:
        raise OSError("no collector")

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 0, **options: Any) -> None:
        pass


def test_a_failing_exporter_does_not_fail_the_store(engine: EventStore) -> None:
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(FailingSpanExporter()))
    reader = PeriodicExportingMetricReader(FailingMetricExporter(), export_interval_millis=10)
    meters = MeterProvider([reader], shutdown_on_exit=False)
    watched = InstrumentedEventStore(engine, tracer_provider=tracers, meter_provider=meters)
    assert watched.append(lent()) == [1]
    assert len(watched.query(EVERYTHING)) == 1
    assert len(list(watched.stream(EVERYTHING))) == 1
    with pytest.raises(ConcurrencyConflict):
        watched.append(lent(), condition=AppendCondition(EVERYTHING, 0))
    reader.collect()
    assert watched.append(lent()) == [2]
    meters.shutdown()
    tracers.shutdown()


def test_without_an_sdk_the_store_works_as_ever(engine: EventStore) -> None:
    watched = InstrumentedEventStore(engine)
    assert watched.append(lent()) == [1]
    assert len(watched.query(ABOUT_ANN)) == 1
    assert len(list(watched.stream(ABOUT_ANN))) == 1


def test_the_package_does_not_import_opentelemetry() -> None:
    program = """
import sys
import eventstore, eventstore.postgres, eventstore.testing.race
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])


def test_without_opentelemetry_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    specification = importlib.util.find_spec("eventstore.telemetry")
    assert specification is not None
    assert specification.loader is not None
    with pytest.raises(ImportError, match=r"pip install 'dynamic-event-streams\[telemetry\]'"):
        specification.loader.exec_module(importlib.util.module_from_spec(specification))


def is_an_event_store(store: InstrumentedEventStore) -> EventStore:
    """The type checkers hold it."""
    return store
