"""An event store in memory, for tests and for study: the same contract as the PostgreSQL engine, thread-safe."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self
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
    Batch,
    Consistency,
    EventStream,
    Subscription,
    check_at_least,
    check_ids_differ,
    check_limit,
    check_reached,
    check_subscription,
    reason_for_cut,
)

WINDOW: Final = 2_000
"""Positions that a subscription examines at a time, as many as the PostgreSQL engine does."""


@dataclass(frozen=True, slots=True)
class _Record:
    event: SequencedEvent
    document: JsonValue


@dataclass(slots=True, eq=False)
class _InMemorySubscription:
    _filter: Filter
    _position: int
    _records: list[_Record]
    _changed: threading.Condition
    _is_closed: bool = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._records) != self._position)
            if self._is_closed:
                raise StopIteration
            if self._position > len(self._records):
                self._is_closed = True
                raise PositionUnknown(self._position, len(self._records))
            examined = self._records[self._position : self._position + WINDOW]
            self._position += len(examined)
            position = self._position
        found = (record.event for record in examined if self._filter.matches_parsed(record.event, record.document))
        return Batch(tuple(found), position)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class InMemoryEventStore:
    """Keeps everything in a list. One lock around each append stands for the database's append lock.

    >>> InMemoryEventStore().query(FilterBuilder().matching_any_event()).position
    0
    """

    _records: list[_Record] = field(default_factory=list[_Record])
    _numbers: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _changed: threading.Condition = field(default_factory=threading.Condition)

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
        with self._changed:
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

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return _InMemorySubscription(filter, check_subscription(filter, after), self._records, self._changed)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        events = (first, *more)
        check_ids_differ(events)
        documents = [json_values.parse(event.payload) for event in events]
        with self._changed:
            stored = self._already_stored(events, documents)
            if stored:
                return stored
            if condition is not None:
                self._guard(condition)
            numbers = [self._store(event, document) for event, document in zip(events, documents, strict=True)]
            self._changed.notify_all()
            return numbers

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
