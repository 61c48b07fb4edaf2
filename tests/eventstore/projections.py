"""Projections to test replays with, and stores that count or fail."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from eventstore import (
    EventStore,
    Filter,
    InMemorySnapshotStore,
    Projection,
    SequencedEvent,
    Snapshot,
    SnapshotKey,
    SnapshotStore,
)
from tests.eventstore.examples import EVERYTHING, event
from tests.wrapped_store import WrappedStore

types_seen = Projection[list[str]](
    "types seen",
    version=1,
    start=list,
    evolve=lambda types, event: [*types, event.event_type],
    encode=lambda types: ",".join(types).encode(),
    decode=lambda state: state.decode().split(","),
)
KEY = SnapshotKey.of(types_seen.name, types_seen.version, EVERYTHING)


def chained(state: bytes, event: SequencedEvent) -> bytes:
    """A state that no other sequence of events has."""
    return hashlib.sha256(state + event.sequence_number.to_bytes(8, "big") + event.event_id.bytes).digest()


chain = Projection[bytes]("chain", version=1, start=bytes, evolve=chained, encode=bytes, decode=bytes)


@dataclass
class Counting(WrappedStore):
    """Remembers the filters it was asked."""

    asked: list[Filter] = field(default_factory=list)

    def query(self, filter: Filter, **options: Any) -> Any:
        self.asked.append(filter)
        return self.inner.query(filter, **options)


class Down(Exception):
    """A store of snapshots does not answer."""


@dataclass
class Failing:
    """A store of snapshots in which some steps fail."""

    inner: SnapshotStore = field(default_factory=InMemorySnapshotStore)
    steps: frozenset[str] = frozenset({"load", "save", "delete"})

    def save(self, key: SnapshotKey, snapshot: Snapshot) -> bool:
        self._fail("save")
        return self.inner.save(key, snapshot)

    def load(self, key: SnapshotKey) -> Snapshot | None:
        self._fail("load")
        return self.inner.load(key)

    def delete(self, key: SnapshotKey) -> None:
        self._fail("delete")
        self.inner.delete(key)

    def _fail(self, step: str) -> None:
        if step in self.steps:
            raise Down(step)


def fill(store: EventStore, *types: str) -> None:
    for event_type in types:
        store.append(event(event_type))
