"""Snapshots: the state of a projection after some event, so that a read has to fold only what came later.

A snapshot is a shortcut and never a source. It may be missing, out of reach, unreadable, or of another history; then
everything is folded from the events, and nobody gets an error for it. `eventstore.replay` does all of that.
"""

import threading
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from eventstore import json_values
from eventstore.errors import InvalidFilter, InvalidSnapshot
from eventstore.filters import HIGHEST_POSITION, Filter

LONGEST_PROJECTION_NAME: Final = 255
"""In characters."""

HIGHEST_PROJECTION_VERSION: Final = 2**31 - 1

LARGEST_STATE: Final = 64 * 1024 * 1024
"""In bytes. Long before that, loading the state takes longer than folding the events would."""


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """Whose state it is. Another projection, another version of it or another filter never finds it.

    Attributes:
        projection: a name for the kind of state, 1 to 255 characters.
        version: of the projection, from 1 on. Raise it whenever folding or the form of the state changes.
        filter_hash: which stream was folded, by `Filter.hash()`.

    Raises:
        InvalidSnapshot: for anything else.
    """

    projection: str
    version: int
    filter_hash: str

    def __post_init__(self) -> None:
        _check_name(self.projection)
        _check_number("the version of a projection", self.version, HIGHEST_PROJECTION_VERSION)
        if not isinstance(self.filter_hash, str) or not _is_sha256(self.filter_hash):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidSnapshot(f"filter_hash must be the hash() of a filter, not {self.filter_hash!a}")

    @classmethod
    def of(cls, projection: str, version: int, filter: Filter) -> "SnapshotKey":
        """The key for a projection of a whole stream.

        Bounds of time are a part of the stream: each event lies within them or not, for ever. Mind that a window which
        moves with the clock is another stream each time, whose snapshots nobody will load again.

        Raises:
            InvalidFilter: the filter has a bound of position. The hash leaves these out, so the state of a part would
                be taken for the state of the whole.
        """
        if filter.sequence_number_higher_than is not None or filter.up_to is not None:
            raise InvalidFilter(f"a snapshot is taken of a whole stream, not of one bounded by position: {filter}")
        return cls(projection, version, filter.hash())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state, and the last event that was folded into it.

    The event is named twice. Its number alone would not do: in a log that was restored from an older backup and has
    grown since, the same number belongs to another event.

    Attributes:
        sequence_number, event_id: of the last event in the state.
        state: bytes that nobody here looks into, at most 64 MiB.

    Raises:
        InvalidSnapshot: for anything else.
    """

    sequence_number: int
    event_id: UUID
    state: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_number("the sequence number of a snapshot", self.sequence_number, HIGHEST_POSITION)
        if not isinstance(self.event_id, UUID):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidSnapshot(f"event_id must be a UUID, not {self.event_id!r}")
        if not isinstance(self.state, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidSnapshot(f"a state must be bytes, not {type(self.state).__name__}")
        if len(self.state) > LARGEST_STATE:
            raise InvalidSnapshot(f"a state has at most {LARGEST_STATE} bytes, this one {len(self.state)}")


class SnapshotStore(Protocol):
    """The port: where snapshots are kept. Each method is one atomic step.

    >>> snapshots: SnapshotStore = InMemorySnapshotStore()
    >>> key = SnapshotKey.of("events so far", 1, FilterBuilder().matching_any_event())
    >>> snapshots.save(key, Snapshot(7, uuid7(), b"3"))
    True
    >>> snapshots.save(key, Snapshot(5, uuid7(), b"2"))
    False
    >>> snapshots.load(key).state
    b'3'

    Any method may raise what its store raises when it does not answer; `replayed` puts up with it.
    """

    def save(self, key: SnapshotKey, snapshot: Snapshot) -> bool:
        """Keep a snapshot, unless the one that is kept is as new or newer. Tells whether it is kept now."""
        ...

    def load(self, key: SnapshotKey) -> Snapshot | None:
        """Return what is kept. None if there is nothing, or nothing that can be read: then replay."""
        ...

    def delete(self, key: SnapshotKey) -> None:
        """Forget what is kept, if anything is."""
        ...


@dataclass(slots=True)
class InMemorySnapshotStore:
    """Keeps snapshots in a dict, for tests and for a single process; thread-safe."""

    _snapshots: dict[SnapshotKey, Snapshot] = field(default_factory=dict[SnapshotKey, Snapshot])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def save(self, key: SnapshotKey, snapshot: Snapshot) -> bool:
        """See `SnapshotStore.save`."""
        with self._lock:
            kept = self._snapshots.get(key)
            if kept is not None and kept.sequence_number >= snapshot.sequence_number:
                return False
            self._snapshots[key] = snapshot
            return True

    def load(self, key: SnapshotKey) -> Snapshot | None:
        """See `SnapshotStore.load`."""
        with self._lock:
            return self._snapshots.get(key)

    def delete(self, key: SnapshotKey) -> None:
        """See `SnapshotStore.delete`."""
        with self._lock:
            self._snapshots.pop(key, None)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_PROJECTION_NAME:
        raise InvalidSnapshot(
            f"the name of a projection must be a string of 1 to {LONGEST_PROJECTION_NAME} characters, not {name!a}"
        )
    try:
        json_values.from_python(name)
    except json_values.NotJson as reason:
        raise InvalidSnapshot(f"the name of a projection cannot be stored: {reason}") from None


def _check_number(what: str, number: object, highest: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= highest:
        raise InvalidSnapshot(f"{what} must be a whole number from 1 to {highest}, not {number!r}")


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
