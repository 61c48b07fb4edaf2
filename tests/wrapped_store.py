"""The base of stores in which a test changes one thing: everything else is passed on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eventstore import EventStore, EventStream, Filter, SequencedEvent, StorableEvent, Subscription


@dataclass
class WrappedStore:
    inner: EventStore

    def query(self, filter: Filter, **options: Any) -> EventStream:
        return self.inner.query(filter, **options)

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        return self.inner.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        return self.inner.subscribe(filter, after)

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        return self.inner.append(first, *more, **options)
