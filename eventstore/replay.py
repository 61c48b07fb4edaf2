"""Replaying a projection from its snapshot and what came after it: the same state as from all events, only sooner.

load the snapshot ──► query the stream from its last event on ──► is the first event found that very event?
                                                                    │ yes: fold the rest into the state
                                                                    └ no, or no usable snapshot: fold everything
save a new snapshot, if it pays ◄───────────────────────────────────┘
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Final, Generic, TypeVar

from eventstore.events import SequencedEvent
from eventstore.filters import Filter
from eventstore.snapshots import Snapshot, SnapshotKey, SnapshotStore
from eventstore.store import AppendCondition, EventStore, EventStream

R = TypeVar("R")
S = TypeVar("S")

EVENTS_WORTH_A_SNAPSHOT: Final = 100
BYTES_WORTH_AN_EVENT: Final = 1000
"""To save so many bytes of state costs about as much as to query and fold an event."""


@dataclass(frozen=True)  # with slots, Projection[int](…) fails in Python 3.11
class Projection(Generic[S]):
    """How a state is made of events, and how it is kept.

    >>> lent = Projection(
    ...     "lent", version=1, start=int, evolve=lambda count, event: count + 1,
    ...     encode=lambda count: str(count).encode(), decode=int)

    Attributes:
        name, version: the version must be raised whenever `start`, `evolve`, `encode` or `decode` changes its
            meaning: states of another version are never loaded.
        start: makes the state before the first event; a new one each time, if it is mutable.
        evolve: the state after one more event; may change the given state and return it.
        encode, decode: the state as bytes and back. Both must keep all that `evolve` goes by.
    """

    name: str
    version: int
    start: Callable[[], S]
    evolve: Callable[[S, SequencedEvent], S]
    encode: Callable[[S], bytes]
    decode: Callable[[bytes], S]


@dataclass(frozen=True)
class Replayed(Generic[S]):
    """A state and how it came about.

    Attributes:
        state: what all matching events up to `position` make.
        filter: which events.
        position: the head of the store, from the same snapshot of the database as the events.
        resumed_after: the last event of the snapshot that was used; 0 if everything was folded.
        folded: how many events were folded now.
        saved: whether the state is kept now as a snapshot.
        failures: what went wrong with snapshots. The state is right all the same; worth a line in a log.
    """

    state: S
    filter: Filter
    position: int
    resumed_after: int
    folded: int
    saved: bool
    failures: tuple[Exception, ...]

    @property
    def append_condition(self) -> AppendCondition:
        """The guard for a decision that is based on this state: the whole filter, and the position read up to."""
        return AppendCondition(self.filter, self.position)


def replayed(
    store: EventStore,
    snapshots: SnapshotStore,
    filter: Filter,
    projection: Projection[S],
    *,
    save_after: int = EVENTS_WORTH_A_SNAPSHOT,
) -> Replayed[S]:
    """Fold all events of a stream into a state, with the help of a snapshot.

    >>> lent = Projection("lent", 1, int, lambda count, event: count + 1, lambda count: b"%d" % count, int)
    >>> store, snapshots = InMemoryEventStore(), InMemorySnapshotStore()
    >>> everything = FilterBuilder().matching_any_event()
    >>> from datetime import UTC, datetime
    >>> now = datetime.now(UTC)
    >>> store.append(*(StorableEvent.build("BookCopyLentToReader", now, payload=b"{}") for _ in range(3)))
    [1, 2, 3]
    >>> found = replayed(store, snapshots, everything, lent, save_after=2)
    >>> found.state, found.folded, found.saved
    (3, 3, True)
    >>> again = replayed(store, snapshots, everything, lent, save_after=2)
    >>> again.state, again.resumed_after, again.folded
    (3, 3, 0)

    A decision that is based on the state is guarded by `found.append_condition`.

    Whatever goes wrong with snapshots never fails the read, including what `encode` and `decode` raise, and `evolve`
    on a state that was loaded; it is told in `failures`. What goes wrong with events is raised.

    Args:
        store: where the events are.
        snapshots: where states are kept.
        filter: a whole stream, without bounds of position. Its bounds of time, if any, should not move with the
            clock: each is a stream with a snapshot of its own.
        projection: how to fold.
        save_after: keep a snapshot once a read had to fold so many events, from 1 on. Saving costs about as much as a
            query, so it should spare the next reads more than that. A large state is kept only after as many events
            as it costs to save: one for every thousand bytes.

    Raises:
        InvalidFilter: the filter has a bound of position.
        InvalidSnapshot: the projection's name or version is none.
        ValueError: save_after is below 1.
        StoreUnavailable, SchemaMissing: from the query.
    """
    if save_after < 1:
        raise ValueError(f"save_after must be at least 1, not {save_after!r}")
    key = SnapshotKey.of(projection.name, projection.version, filter)
    replay = _Replay(store, snapshots, filter, projection, key)
    found = replay.from_snapshot() or replay.from_the_beginning()
    saved = len(found.events) >= save_after and replay.saved(found)
    failures = tuple(replay.failures)
    return Replayed(found.state, filter, found.position, found.resumed_after, len(found.events), saved, failures)


def continues(snapshot: Snapshot, stream: EventStream) -> bool:
    """Tell whether a stream that was read from the snapshot's last event on belongs to the snapshot's history.

    It begins with that very event, unless the log was restored from an older backup: then the event is not there, and
    its number lies beyond the head, or belongs to another event. A log only grows otherwise (G6), so whatever was
    before the event when the snapshot was taken is there still. (Who keeps snapshots elsewhere and restores the log
    should clear them even so: a client that repeats a lost append may give the same event the same number again.)
    """
    first = stream.events[0] if stream.events else None
    return (
        first is not None and first.sequence_number == snapshot.sequence_number and first.event_id == snapshot.event_id
    )


@dataclass(frozen=True, slots=True)
class _Found(Generic[S]):
    """A state, and the events that were folded into it now."""

    state: S
    resumed_after: int
    events: tuple[SequencedEvent, ...]
    position: int


@dataclass(frozen=True, slots=True)
class _Replay(Generic[S]):
    store: EventStore
    snapshots: SnapshotStore
    filter: Filter
    projection: Projection[S]
    key: SnapshotKey
    failures: list[Exception] = field(default_factory=list[Exception])

    def from_the_beginning(self) -> _Found[S]:
        stream = self.store.query(self.filter)
        state = reduce(self.projection.evolve, stream.events, self.projection.start())
        return _Found(state, 0, stream.events, stream.position)

    def from_snapshot(self) -> _Found[S] | None:
        snapshot = self._forgiving(lambda: self.snapshots.load(self.key), None)
        if snapshot is None:
            return None
        decoded = self._forgiving(lambda: (self.projection.decode(snapshot.state),), None)
        if decoded is not None:
            # The last event of the snapshot comes along, to be recognised.
            tail = self.store.query(self.filter.after_sequence_number(snapshot.sequence_number - 1))
            if continues(snapshot, tail):
                return self._forgiving(lambda: self._continued(decoded[0], tail, snapshot.sequence_number), None)
        # Of no use to anybody, and it would keep others out for as long as its number is higher than theirs.
        self._forgiving(lambda: self.snapshots.delete(self.key), None)
        return None

    def _continued(self, state: S, tail: EventStream, after: int) -> _Found[S]:
        events = tail.events[1:]
        return _Found(reduce(self.projection.evolve, events, state), after, events, tail.position)

    def saved(self, found: _Found[S]) -> bool:
        last = found.events[-1]

        def save() -> bool:
            snapshot = Snapshot(last.sequence_number, last.event_id, self.projection.encode(found.state))
            pays = len(snapshot.state) <= len(found.events) * BYTES_WORTH_AN_EVENT
            return pays and self.snapshots.save(self.key, snapshot)

        return self._forgiving(save, False)

    def _forgiving(self, step: Callable[[], R], otherwise: R) -> R:
        try:
            return step()
        except Exception as failure:  # noqa: BLE001  # a shortcut that is closed, for whatever reason, is no error
            self.failures.append(failure)
            return otherwise
