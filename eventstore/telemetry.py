"""Spans and metrics about an event store, in OpenTelemetry's terms: around the store, never in it.

    span            from … to
    query, append   the call … its answer
    stream          the call … the last event, or the moment the iterator is given up; the reader's own time is in it
    subscribe       the call … its answer
    deliver         the moment a batch with events is there, since waiting for it is no work

    metric                        what is measured
    db.client.operation.duration  each query, append, stream and subscribe, in seconds
    eventstore.operation.events   how many events each query, stream and batch gave and each append stored
    eventstore.append.conflicts   each `ConcurrencyConflict`: which event type met which item of a filter
    eventstore.append.repeated    each append of events that were sent before, and how that had ended

Names are those of the conventions for databases (https://opentelemetry.io/docs/specs/semconv/db/) where they fit.

An error is recorded once, on the span of the call that raised it. `ConcurrencyConflict` and `EventIdReused` are no
errors but answers: span and duration say `eventstore.refusal`, and the status stays unset. What commands retry shows
from below as conflicts, each of which somebody decided anew or gave up, and as repeated appends.

Filters hold personal ids: unless it is allowed to, telemetry tells types and keys of a filter but no values.
"""

import traceback
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import Any, Final, Self, TypeVar, cast
from uuid import UUID

from eventstore.errors import ConcurrencyConflict, EventIdReused, StoreUnavailable
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import Filter, FilterItem
from eventstore.store import AppendCondition, Batch, Consistency, EventStore, EventStream, Subscription

try:
    from opentelemetry.context import attach
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider, get_tracer, set_span_in_context
    from opentelemetry.util.types import AttributeValue
except ImportError as missing:
    raise ImportError(
        "eventstore.telemetry speaks the OpenTelemetry API: pip install 'dynamic-event-streams[telemetry]'"
    ) from missing

_Answer = TypeVar("_Answer")

_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
_EVENTS: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class InstrumentedEventStore:
    """An event store that tells what another one does. Answers and exceptions are handed on as they are.

    >>> store = InstrumentedEventStore(PostgresEventStore(pool), collection="events")  # doctest: +SKIP

    Keywords that only an engine knows are handed on too. An append that joins a transaction with `connection=` counts
    when it is acknowledged, whatever becomes of the transaction. Other methods, such as `create_schema`, stay behind.

    Args:
        store: what to watch. Wrapping it twice tells everything twice.
        system: the database product, as `db.system.name` knows it.
        collection: the events table, for `db.collection.name` and the names of spans; it may be left out.
        predicate_values: True lets spans tell the values that filters look for. They identify people.
        tracer_provider, meter_provider: whom to tell; None means what the application has set up globally.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        system: str = "postgresql",
        collection: str = "",
        predicate_values: bool = False,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self._store = store
        self._target = {"db.system.name": system} | ({"db.collection.name": collection} if collection else {})
        self._suffix = f" {collection}" if collection else ""
        self._predicate_values = predicate_values
        self._attempts = _Attempts()
        self._tracer = get_tracer("eventstore", tracer_provider=tracer_provider)
        meter = get_meter("eventstore", meter_provider=meter_provider)
        self._duration = meter.create_histogram(
            "db.client.operation.duration", "s", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._events = meter.create_histogram(
            "eventstore.operation.events", "{event}", explicit_bucket_boundaries_advisory=_EVENTS
        )
        self._conflicts = meter.create_counter("eventstore.append.conflicts", "{conflict}")
        self._repeated = meter.create_counter("eventstore.append.repeated", "{append}")

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
        **options: Any,
    ) -> EventStream:
        """See `EventStore.query`."""
        options |= {"limit": limit, "backwards": backwards, "consistency": consistency, "at_least": at_least}
        with self._operation("query", filter) as operation:
            operation.tell({"eventstore.consistency": consistency.value})
            stream = operation.run(self._store.query, filter, **options)
            self._tell_events(operation, len(stream), stream.events[:1] + stream.events[-1:])
            operation.tell({"eventstore.position": stream.position})
        return stream

    def stream(self, filter: Filter, **options: Any) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        events = self._stream(filter, options)
        next(events)
        return cast("Iterator[SequencedEvent]", events)

    def subscribe(self, filter: Filter, after: int = 0, **options: Any) -> Subscription:
        """See `EventStore.subscribe`."""
        with self._operation("subscribe", filter) as operation:
            operation.tell({"eventstore.after": after})
            subscription = operation.run(self._store.subscribe, filter, after, **options)
        return _InstrumentedSubscription(subscription, self._deliver)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None, **options: Any
    ) -> list[int]:
        """See `EventStore.append`."""
        events = (first, *more)
        attempt = min(event.event_id for event in events)  # one id stands for the batch, in whatever order it is sent
        with self._operation("append", None if condition is None else condition.filter) as operation:
            types = list(dict.fromkeys(event.event_type for event in events))
            operation.tell({"eventstore.events": len(events), "eventstore.event_types": types})
            if condition is not None:
                operation.tell({"eventstore.after": condition.after})
            if previous := self._attempts.ending_of(attempt):
                repeated = {"eventstore.previous_outcome": previous}
                operation.measure(self._repeated.add, 1, repeated)
                operation.tell(repeated)
            try:
                numbers = operation.run(self._store.append, first, *more, condition=condition, **options)
            except ConcurrencyConflict as conflict:
                self._attempts.ended(attempt, None)  # ids are looked up before the guard: for certain nothing is stored
                met = _met(conflict, condition)
                operation.measure(self._conflicts.add, 1, met)
                operation.tell({**met, "eventstore.conflict.sequence_number": conflict.event.sequence_number})
                raise
            except StoreUnavailable as failure:
                operation.tell({"eventstore.outcome_unknown": failure.outcome_unknown})
                if failure.outcome_unknown:
                    self._attempts.ended(attempt, "unknown")
                raise
            if self._attempts.ended(attempt, "acknowledged") != "acknowledged":
                operation.measure(self._events.record, len(numbers))
            operation.tell(_ends(numbers))
        return numbers

    @contextmanager
    def _operation(self, name: str, filter: Filter | None = None, *, timed: bool = True) -> Generator["_Operation"]:
        """Open a span that will say how it ended, as the duration does."""
        attributes = {"db.operation.name": name, **self._target}
        span = self._tracer.start_span(name + self._suffix, kind=SpanKind.CLIENT, attributes=attributes)
        operation = _Operation(span, attributes, copy_context())
        operation.run(attach, set_span_in_context(span))
        began = perf_counter()
        ending: dict[str, str] = {}
        try:
            if filter is not None and span.is_recording():
                items = dict.fromkeys(_without_values(item) for item in filter.items)
                words = str(filter) if self._predicate_values else " — or ".join(items) or "any event"
                operation.tell({"eventstore.filter": words, "eventstore.filter_items": len(filter.items)})
            yield operation
        except (ConcurrencyConflict, EventIdReused) as refusal:
            ending = {"eventstore.refusal": type(refusal).__qualname__}
            raise
        except Exception as error:
            ending = {"error.type": type(error).__qualname__}
            _record(span, error)
            raise
        finally:
            if timed:
                operation.measure(self._duration.record, perf_counter() - began, ending)
            operation.tell(ending)
            span.end()

    def _stream(self, filter: Filter, options: Mapping[str, Any]) -> Generator[SequencedEvent | None]:
        """The events, after a None that comes when the store has been asked: the head of that moment bounds a stream.

        A generator that has begun is also closed, and its span ended, if nobody ever takes an event from it.
        """
        with self._operation("stream", filter) as operation:
            events = operation.run(self._store.stream, filter, **options)
            count = 0
            edges: tuple[SequencedEvent, ...] = ()
            try:
                yield None
                with suppress(StopIteration):
                    while True:
                        event = operation.run(events.__next__)
                        count += 1
                        edges = (*edges[:1], event)
                        yield event
            finally:
                self._tell_events(operation, count, edges)

    def _deliver(self, wait: Callable[[], Batch]) -> Batch:
        try:
            batch = wait()
        except StopIteration:
            raise
        except Exception:
            with self._operation("deliver", timed=False):
                raise
        if batch.events:  # none came with what others appended: that is no news
            with self._operation("deliver", timed=False) as operation:
                self._tell_events(operation, len(batch), (batch.events[0], batch.events[-1]))
                operation.tell({"eventstore.position": batch.position})
        return batch

    def _tell_events(self, operation: "_Operation", count: int, edges: Sequence[SequencedEvent]) -> None:
        operation.measure(self._events.record, count)
        operation.tell({"eventstore.events": count, **_ends([event.sequence_number for event in edges])})


class _InstrumentedSubscription:
    def __init__(self, subscription: Subscription, deliver: Callable[[Callable[[], Batch]], Batch]) -> None:
        self._subscription = subscription
        self._deliver = deliver

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        return self._deliver(self._subscription.__next__)

    def close(self) -> None:
        self._subscription.close()

    def __enter__(self) -> Self:
        self._subscription.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._subscription.__exit__(*reason)


@dataclass(frozen=True, slots=True)
class _Operation:
    span: Span
    attributes: dict[str, str]
    surroundings: Context
    """The caller's, with the span as the current one."""

    def run(self, call: Callable[..., _Answer], *arguments: Any, **options: Any) -> _Answer:
        return self.surroundings.run(call, *arguments, **options)

    def tell(self, attributes: Mapping[str, AttributeValue]) -> None:
        self.span.set_attributes(attributes)

    def measure(self, record: Callable[..., None], amount: float, more: Mapping[str, str] = {}) -> None:
        self.run(record, amount, {**self.attributes, **more})


class _Attempts:
    """How the latest appends ended, by one event id of each."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._endings: OrderedDict[UUID, str] = OrderedDict()
        self._lock = Lock()

    def ending_of(self, attempt: UUID) -> str | None:
        return self._endings.get(attempt)

    def ended(self, attempt: UUID, ending: str | None) -> str | None:
        """Remember an ending, or forget it, and return the one before. What was acknowledged cannot become unknown."""
        with self._lock:
            previous = self._endings.pop(attempt, None)
            if ending is not None:
                self._endings[attempt] = "acknowledged" if previous == "acknowledged" else ending
            if len(self._endings) > self._most:
                self._endings.popitem(last=False)
        return previous


def _record(span: Span, error: Exception) -> None:
    """Record an error without those that led to it: their messages may quote payloads and filters."""
    if span.is_recording():
        lines = traceback.format_exception(error, chain=False)
        span.record_exception(error, {"exception.stacktrace": "".join(lines)})
        span.set_status(StatusCode.ERROR, str(error))


def _ends(numbers: Sequence[int]) -> dict[str, int]:
    if not numbers:
        return {}
    return {"eventstore.first_sequence_number": min(numbers), "eventstore.last_sequence_number": max(numbers)}


def _met(conflict: ConcurrencyConflict, condition: AppendCondition | None) -> dict[str, str]:
    items = () if condition is None else condition.filter.items
    met = [_without_values(item) for item in items if str(item) == conflict.filter_item]
    return {
        "eventstore.conflict.event_type": conflict.event.event_type,
        "eventstore.conflict.filter_item": met[0] if met else "any event",
    }


def _without_values(item: FilterItem) -> str:
    """The item in words as `str` puts it, with a question mark for each value; the same for all values."""
    joint = " and " if item.all_predicates else " or "
    predicates = joint.join(dict.fromkeys(f"{predicate.key} = ?" for predicate in item.predicates))
    types = " or ".join(item.event_types) or "any event"
    return f"{types} with {predicates}" if predicates else types
