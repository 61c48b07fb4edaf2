"""The store as one racer has it: a starting line, one of a few connections, and a note of how long each wait was."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    SequencedEvent,
    StorableEvent,
    StoreUnavailable,
    Subscription,
)
from eventstore.postgres import AppendTimes
from library_app.race import Waits

LONGEST_RACE: Final = 15.0
"""Seconds after which no racer asks the store again."""


class Abandoned(Exception):
    """Another racer did not come to the starting line, for a reason of their own."""


@dataclass(frozen=True, slots=True, init=False)
class StartingLine:
    """Where racers wait who have read, until all have, and which of them may ask the store."""

    barrier: threading.Barrier
    closes: float
    connections: threading.Semaphore

    def __init__(self, racers: int, connections: int) -> None:
        object.__setattr__(self, "barrier", threading.Barrier(racers, timeout=LONGEST_RACE))
        object.__setattr__(self, "closes", time.perf_counter() + LONGEST_RACE)
        object.__setattr__(self, "connections", threading.Semaphore(connections))


class LockWaits:
    """How long the appends of each racer waited for the lock; `note` is the `on_append` of their store."""

    def __init__(self) -> None:
        self._of_this_thread = threading.local()

    def note(self, times: AppendTimes) -> None:
        """Add one answer of the append function, on the thread of the racer."""
        self._of_this_thread.seconds = self._noted() + times.lock_waited

    def take(self) -> float:
        """The seconds that were noted on this thread since the last call."""
        seconds = self._noted()
        self._of_this_thread.seconds = 0.0
        return seconds

    def _noted(self) -> float:
        seconds: float = getattr(self._of_this_thread, "seconds", 0.0)
        return seconds


class Lane:
    """The store as one racer has it: the answer to the first query is given when everybody has one.

    Attributes:
        ready: when the first query was answered, on the clock of `time.perf_counter`.
        released: when everybody's was.
        waits: what each append waited for.
    """

    def __init__(self, store: EventStore, line: StartingLine, lock_waits: LockWaits) -> None:
        self._store = store
        self._line = line
        self._lock_waits = lock_waits
        self.waits: list[Waits] = []
        self.ready: float | None = None
        self.released = 0.0

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`; the first one ends at the starting line."""
        if time.perf_counter() > self._line.closes:
            raise StoreUnavailable("the race took too long and was ended", outcome_unknown=False)
        with self._connection():
            stream = self._store.query(
                filter, limit=limit, backwards=backwards, consistency=consistency, at_least=at_least
            )
        if self.ready is None:
            self.ready = time.perf_counter()
            self._wait()
            self.released = time.perf_counter()
        return stream

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self._store.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return self._store.subscribe(filter, after)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        with self._connection() as waited:
            try:
                return self._store.append(first, *more, condition=condition)
            finally:
                self.waits.append(Waits(waited, self._lock_waits.take()))

    def leave(self) -> None:
        """Nobody need wait for this racer any more."""
        self._line.barrier.abort()

    @contextmanager
    def _connection(self) -> Generator[float]:
        """Ask the store only while one of its connections is free. Yields the seconds that were waited."""
        waited = 0.0
        if not self._line.connections.acquire(blocking=False):
            began = time.perf_counter()
            if not self._line.connections.acquire(timeout=LONGEST_RACE):
                raise StoreUnavailable("no connection was free in time", outcome_unknown=False)
            waited = time.perf_counter() - began
        try:
            yield waited
        finally:
            self._line.connections.release()

    def _wait(self) -> None:
        try:
            self._line.barrier.wait()
        except threading.BrokenBarrierError:
            raise Abandoned from None
