"""An event store in memory, for tests and for study: the same contract as the PostgreSQL engine, thread-safe."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from eventstore import json_values
from eventstore.errors import (
    ConcurrencyConflict,
    ConflictingEvent,
    EventIdReused,
    PositionUnknown,
)
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import Filter
from eventstore.json_values import JsonValue
from eventstore.store import (
    AppendCondition,
    Consistency,
    EventStream,
    check_at_least,
    check_ids_differ,
    check_limit,
    check_reached,
    reason_for_cut,
)


@dataclass(frozen=True, slots=True)
class _Record:
    event: SequencedEvent
    document: JsonValue


@dataclass(slots=True)
class InMemoryEventStore:
    """Keeps everything in a list. One lock around each append stands for the database's append lock.

    >>> InMemoryEventStore().query(FilterBuilder().matching_any_event()).position
    0
    """

    _records: list[_Record] = field(default_factory=list[_Record])
    _numbers: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,  # noqa: ARG002
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`. Every answer is strongly consistent."""
        check_limit(limit)
        check_at_least(at_least)
        with self._lock:
            records = self._records[:]
        check_reached(at_least, len(records))
        found = [record.event for record in records if filter.matches_parsed(record.event, record.document)]
        if backwards:
            found.reverse()
        events = tuple(found[:limit])
        return EventStream(
            filter, events, len(records), reason_for_cut(filter, len(records), limit, backwards, len(events))
        )

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return iter(self.query(filter).events)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        events = (first, *more)
        check_ids_differ(events)
        documents = [json_values.parse(event.payload) for event in events]
        with self._lock:
            stored = self._already_stored(events, documents)
            if stored:
                return stored
            if condition is not None:
                self._guard(condition)
            return [self._store(event, document) for event, document in zip(events, documents, strict=True)]

    def _already_stored(self, events: tuple[StorableEvent, ...], documents: list[JsonValue]) -> list[int]:
        numbers = [self._numbers.get(event.event_id, 0) for event in events]
        if not any(numbers):
            return []
        for number, event, document in zip(numbers, events, documents, strict=True):
            if not number:
                raise EventIdReused("some events of this batch are stored already, others are not")
            record = self._records[number - 1]
            if record.event.event_type != event.event_type or not json_values.equal(record.document, document):
                raise EventIdReused(f"event id {event.event_id} is stored already with other content")
        return numbers

    def _guard(self, condition: AppendCondition) -> None:
        head = len(self._records)
        if condition.after > head:
            raise PositionUnknown(condition.after, head)
        for record in self._records[condition.after :]:
            event = record.event
            item = condition.filter.matching_item(event.event_type, record.document)
            if item is not None or condition.filter.any_event:
                conflicting = ConflictingEvent(event.sequence_number, event.event_type, event.event_id)
                words = "any event" if item is None else str(item)
                raise ConcurrencyConflict(conflicting, words, condition.after, head)

    def _store(self, event: StorableEvent, document: JsonValue) -> int:
        number = len(self._records) + 1
        stored = SequencedEvent(
            sequence_number=number,
            event_id=event.event_id,
            event_type=event.event_type,
            occurred_at=event.occurred_at,
            payload=json_values.as_jsonb_text(document).encode(),
            metadata=json_values.as_jsonb_text(json_values.parse(event.metadata)).encode(),
        )
        self._records.append(_Record(stored, document))
        self._numbers[event.event_id] = number
        return number
