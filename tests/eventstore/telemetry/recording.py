"""What was told, as the SDK keeps it, and what the tests of this folder tell of."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eventstore import EventStore, FilterBuilder, P, StorableEvent
from eventstore.telemetry import InstrumentedEventStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()
ABOUT_ANN = (
    FilterBuilder()
    .matching()
    .any_event_type_of("BookLent", "BookReturned")
    .and_any_predicate_of(P("ReaderID", "ann"), P("ReaderID", "ann's sister"), P("BookID", 7))
    .or_matching()
    .all_predicates_of(P("ReaderID", "ann"), P("Kind", "child"))
    .finalize()
)
WITHOUT_VALUES = (
    "BookLent or BookReturned with ReaderID = ? or BookID = ? — or any event with ReaderID = ? and Kind = ?"
)
DURATION = "db.client.operation.duration"
EVENTS = "eventstore.operation.events"
CONFLICTS = "eventstore.append.conflicts"
REPEATED = "eventstore.append.repeated"
TARGET = {"db.system.name": "postgresql", "db.collection.name": "events"}


def lent(reader: str = "ann") -> StorableEvent:
    return StorableEvent.build("BookLent", NOON, payload=f'{{"ReaderID": "{reader}"}}'.encode())


class Telemetry:
    """What was told, as the SDK keeps it."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)

    def over(self, store: EventStore, **options: Any) -> InstrumentedEventStore:
        usual = {"collection": "events", "tracer_provider": self.tracers, "meter_provider": self.meters}
        return InstrumentedEventStore(store, **{**usual, **options})

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Those that have ended, in the order of their end."""
        return self._exporter.get_finished_spans()

    @property
    def last(self) -> ReadableSpan:
        return self.spans[-1]

    def told(self, name: str) -> Any:
        """An attribute of the last span."""
        return (self.last.attributes or {}).get(f"eventstore.{name}")

    def points(self, metric: str) -> dict[frozenset[tuple[str, Any]], Any]:
        """The data points of a metric by their attributes, without those of the target."""
        data = self._reader.get_metrics_data() or MetricsData([])
        return {
            frozenset((point.attributes or {}).items() - TARGET.items()): point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for found in scope.metrics
            if found.name == metric
            for point in found.data.data_points
        }

    def count(self, metric: str, operation: str, attributes: Mapping[str, str] = {}) -> int:
        """How often something was counted or measured of an operation, with exactly these further attributes."""
        point = self._point(metric, operation, attributes)
        if point is None:
            return 0
        return point.count if isinstance(point, HistogramDataPoint) else point.value

    def events(self, operation: str) -> int:
        """How many events an operation read or stored, all calls together."""
        point = self._point(EVENTS, operation, {})
        return 0 if point is None else point.sum

    def _point(self, metric: str, operation: str, attributes: Mapping[str, str]) -> Any:
        return self.points(metric).get(frozenset({"db.operation.name": operation, **attributes}.items()))


def parents(telemetry: Telemetry) -> list[tuple[str, str]]:
    """Each span with the name of its parent."""
    names = {span.context.span_id: span.name for span in telemetry.spans if span.context}
    return [(span.name, names.get(span.parent.span_id, "?") if span.parent else "") for span in telemetry.spans]
