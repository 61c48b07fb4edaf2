"""Subscriptions: whoever has read everything waits until the listening connection wakes all, and reads on.

Nothing can be missed: a reader notes how often all were woken *before* it reads, and waits only as long as that has
not changed. What was committed before its snapshot it has read, and of what was committed later it is told.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Self

from eventstore.errors import EventStoreError, StoreUnavailable
from eventstore.filters import Filter
from eventstore.postgres import reading
from eventstore.postgres.listening import Listener, Outage, check_dsn, pause
from eventstore.postgres.reading import Reader
from eventstore.postgres.sqlstates import may_pass
from eventstore.store import Batch, check_subscription

DEFAULT_POLL_INTERVAL: Final = 5.0
_PATIENCE: Final = 0.5
"""Seconds that a reader waits for a connection before it looks whether it was closed."""
_READS_PER_SECOND: Final = 500
"""Of all subscriptions of a process together. The first read after a rest is never delayed; in a storm of notifications
a subscription collects what comes for n / 500 seconds, where n is the number of subscriptions."""


class Subscriptions:
    """All subscriptions to one events table, in this process and in those that it forks.

    Raises:
        ValueError: for a connection string or an interval that cannot be used.
    """

    def __init__(self, reader: Reader, listen_dsn: str | None, poll_interval: float) -> None:
        if not 0.01 <= poll_interval <= 3600:
            raise ValueError(f"poll_interval must be between 0.01 and 3600 seconds, not {poll_interval!r}")
        if listen_dsn is not None:
            check_dsn(listen_dsn)
        self._reader = replace(reader, patience=_PATIENCE)
        self._listen_dsn = listen_dsn
        self._poll_interval = poll_interval
        self._of_process: dict[int, _Subscribers] = {}

    def subscribe(self, filter: Filter, after: int) -> "PostgresSubscription":
        """See `EventStore.subscribe`."""
        position = check_subscription(filter, after)
        # Neither locks nor connections nor threads survive a fork, so a child begins anew. setdefault is atomic.
        new = _Subscribers(self._reader, self._listen_dsn, self._poll_interval)
        return PostgresSubscription(self._of_process.setdefault(os.getpid(), new), filter, position)


class _Subscribers:
    """The subscriptions of one process: they share a listener, and a part of the pool."""

    def __init__(self, reader: Reader, listen_dsn: str | None, poll_interval: float) -> None:
        self.reader = reader
        self.poll_interval = poll_interval
        self.outage = Outage(f"cannot read {reader.table}, subscriptions wait")
        self.pid = os.getpid()
        self.wakes = 0
        self._listen_dsn = listen_dsn
        self._listener: Listener | None = None
        self._deafness = Outage(f"cannot listen for events of {reader.table}, subscriptions only poll")
        self._members = set[object]()
        # Reentrant, since the garbage collector may call `leave` at any moment in any thread.
        self._changed = threading.Condition(threading.RLock())
        # A hundred subscribers that wake up at once must leave connections for those who append.
        self._reads = threading.Semaphore(max(1, reader.pool.max_size // 2))

    def join(self, member: object) -> None:
        with self._changed:
            self._members.add(member)
            if self._listener is None:
                reader = self.reader
                self._listener = Listener(reader.table, reader.pool, self._listen_dsn, self.wake_all, self._deafness)

    def leave(self, member: object) -> None:
        if os.getpid() != self.pid:
            return  # a fork's copy; the listener belongs to the parent
        with self._changed:
            self._members.discard(member)
            if not self._members and self._listener is not None:
                self._listener.stop()
                self._listener = None
            self._changed.notify_all()

    def wake_all(self) -> None:
        with self._changed:
            self.wakes += 1
            self._changed.notify_all()

    @property
    def rest(self) -> float:
        """Seconds from one read of a subscription to its next."""
        return len(self._members) / _READS_PER_SECOND

    def wait(self, wakes: int, seconds: float, is_closed: Callable[[], bool]) -> None:
        """Return when all were woken more often than `wakes` times, when the time is over, or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.wakes != wakes or is_closed(), seconds)

    def window(self, filter: Filter, after: int) -> Batch | None:
        """Read the next window; None if others read so much that it was not yet our turn."""
        if not self._reads.acquire(timeout=_PATIENCE):
            return None
        try:
            return self.reader.window(filter, after)
        finally:
            self._reads.release()


class PostgresSubscription:
    """See `Subscription`. One that is thrown away unclosed leaves by itself when it is garbage-collected."""

    def __init__(self, subscribers: _Subscribers, filter: Filter, position: int) -> None:
        self._subscribers = subscribers
        self._filter = filter
        self._position = position
        self._wakes_when_read: int | None = None  # None: there may be more to read, waiting would be wrong
        self._failures = 0
        self._last_read = float("-inf")
        self._closed = threading.Event()
        self._one_at_a_time = threading.Lock()
        member = object()
        subscribers.join(member)
        self._leave = weakref.finalize(self, subscribers.leave, member)
        self._leave.atexit = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        """See `Subscription`."""
        with self._one_at_a_time:
            while not self._closed.is_set():
                self._wait()
                batch = None if self._closed.is_set() else self._read()
                if batch is not None:
                    return batch
            raise StopIteration

    def close(self) -> None:
        """See `Subscription`."""
        self._closed.set()
        self._leave()  # only the first call does something

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self) -> None:
        if self._wakes_when_read is not None:
            seconds = pause(self._failures) if self._failures else self._subscribers.poll_interval
            self._subscribers.wait(self._wakes_when_read, seconds, self._closed.is_set)
            self._wakes_when_read = None
            self._closed.wait(max(0, self._last_read + self._subscribers.rest - time.monotonic()))

    def _read(self) -> Batch | None:
        """Examine the next window; None if nothing was in it, or if it could not be read."""
        wakes, self._last_read = self._subscribers.wakes, time.monotonic()
        try:
            batch = self._subscribers.window(self._filter, self._position)
        except StoreUnavailable as reason:
            if not may_pass(reason):
                self.close()
                raise
            self._subscribers.outage.goes_on(reason)
            self._failures += 1
            self._wakes_when_read = wakes
            return None
        except EventStoreError:
            self.close()
            raise
        if batch is None:
            return None
        self._subscribers.outage.is_over()
        self._failures = 0
        advanced = batch.position - self._position
        self._position = batch.position
        # There are never more events than numbers: after a short way we have come to the end.
        self._wakes_when_read = wakes if advanced < reading.WINDOW else None
        return batch if advanced else None
