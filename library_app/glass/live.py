"""New events, as they happen, for many readers: one subscription per process, fanned out to all of them.

A reader joins at the position that the subscription has reached. What lies between its own position and that one it
reads from the store, what comes later it is handed. So it misses nothing and gets nothing twice, whenever it joins.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from eventstore import EventStore, EventStoreError, EventStream, FilterBuilder, SequencedEvent, Subscription

EVENTS_KEPT: Final = 500
"""A reader that is behind by more than so many events is dropped; it resumes with what it has seen."""
EVENTS_AT_A_TIME: Final = 200
"""What a reader that catches up is given at a time."""
NEWEST_EVENTS: Final = 20
"""What somebody who has seen nothing begins with."""
THREAD_NAME: Final = "live-events"

Events = tuple[SequencedEvent, ...]

_EVERY_EVENT: Final = FilterBuilder().matching_any_event()
_log = logging.getLogger(__name__)


def events_after(store: EventStore, after: int | None) -> tuple[Events, int]:
    """What a reader is told who asks once: the next events, oldest first, and the position to ask after next time.

    Args:
        store: where the events are.
        after: what was seen before; None asks for the newest events. A position beyond the head belongs to a log that
            is no more, for instance before a backup was restored: it counts as the head.
    """
    if after is None:
        newest = _newest(store)
        return newest.events[::-1], newest.position
    found = store.query(_EVERY_EVENT.after_sequence_number(after), limit=EVENTS_AT_A_TIME)
    if len(found) == EVENTS_AT_A_TIME:
        return found.events, found.max_sequence_number
    return found.events, found.position


class LiveEvents:
    """The hub. It subscribes when the first reader joins, and ends that when the last one leaves.

    Open it after the fork, and close it before the store's pool.

    >>> live = LiveEvents(InMemoryEventStore(), most_readers=4)
    >>> reader = live.join(after=None)
    >>> reader.wait(seconds=0)
    ()
    >>> live.close()

    Args:
        store: where the events are.
        most_readers: so many at a time, since each takes a thread of the web server; 0 admits nobody.
        events_kept: what is kept for a reader that is slow.
    """

    def __init__(self, store: EventStore, *, most_readers: int, events_kept: int = EVENTS_KEPT) -> None:
        self._store = store
        self._most_readers = most_readers
        self._events_kept = events_kept
        self._changed = threading.Condition()
        self._readers = set[LiveReader]()
        self._subscription: Subscription | None = None
        self._thread: threading.Thread | None = None
        self._position = 0
        self._is_closed = False

    def join(self, after: int | None) -> "LiveReader | None":
        """Let a reader in; None if there are as many as there may be, or if the hub is closed.

        Args:
            after: the number of the event seen last; None begins with the newest events. Beyond the head it counts
                as the head.

        Raises:
            StoreUnavailable, SchemaMissing: the store cannot be asked.
        """
        if self._is_full():
            return None  # without a question to the store: here most requests of a crowd end
        newest = _newest(self._store)
        with self._changed:
            if self._is_full():
                return None
            if self._subscription is None:
                self._begin(newest.position)
            reader = LiveReader(self._store, self._changed, self._leave, self._events_kept)
            reader.begin(newest, after, handed_from=self._position)
            self._readers.add(reader)
            return reader

    @property
    def readers(self) -> int:
        """How many there are just now."""
        return len(self._readers)

    def close(self) -> None:
        """End all readers and the subscription, let nobody in any more, and wait for the thread to end."""
        with self._changed:
            self._is_closed = True
            self._end()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _is_full(self) -> bool:
        return self._is_closed or len(self._readers) >= self._most_readers

    def _begin(self, position: int) -> None:
        self._position = position
        self._subscription = self._store.subscribe(_EVERY_EVENT, after=position)
        self._thread = threading.Thread(target=self._hand_on, args=(self._subscription,), name=THREAD_NAME, daemon=True)
        self._thread.start()

    def _hand_on(self, subscription: Subscription) -> None:
        try:
            for batch in subscription:
                with self._changed:
                    if self._subscription is not subscription:
                        return
                    self._position = batch.position
                    for reader in self._readers:
                        reader.take(batch.events)
                    self._changed.notify_all()
        except EventStoreError as reason:  # waiting does not mend it; whoever joins next subscribes anew
            _log.warning("live events end for now: %s", reason)
        finally:
            with self._changed:
                if self._subscription is subscription:
                    self._end()

    def _leave(self, reader: "LiveReader") -> None:
        with self._changed:
            self._readers.discard(reader)
            if not self._readers:
                self._end()

    def _end(self) -> None:
        for reader in self._readers:
            reader.drop()
        self._changed.notify_all()
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None


class LiveReader:
    """Somebody who is told of every event. Made by `LiveEvents.join`; one thread waits, any thread may close.

    Attributes:
        position: everything up to here has been handed out.
    """

    def __init__(
        self,
        store: EventStore,
        changed: threading.Condition,
        leave: "Callable[[LiveReader], None]",
        events_kept: int,
    ) -> None:
        self.position = 0
        self._store = store
        self._changed = changed
        self._leave = leave
        self._events_kept = events_kept
        self._first: Events = ()
        self._handed_from = 0
        self._handed = deque[SequencedEvent]()
        self._is_dropped = False

    @property
    def is_behind(self) -> bool:
        """Whether there is more of what had happened before this reader came."""
        return bool(self._first) or self.position < self._handed_from

    def begin(self, newest: EventStream, after: int | None, handed_from: int) -> None:
        """Called by the hub: where to begin, and from where on events are handed over."""
        self._first = newest.events[::-1] if after is None else ()
        self.position = newest.position if after is None else min(after, newest.position)
        self._handed_from = handed_from

    def take(self, events: Events) -> None:
        """Called by the hub, with its lock: keep what is new until it is asked for."""
        if self._is_dropped:
            return
        if len(self._handed) + len(events) > self._events_kept:
            self._is_dropped = True
        else:
            self._handed.extend(events)

    def drop(self) -> None:
        """Called by the hub, with its lock: nothing more will come."""
        self._is_dropped = True

    def wait(self, seconds: float) -> Events | None:
        """The next events, oldest first; none if nothing comes in time; None when this has ended.

        It ends when the reader was too slow, or when the hub ends. Join again after `position` then.

        Raises:
            StoreUnavailable, SchemaMissing: the store cannot be asked for what was missed.
        """
        if self._first:
            events, self._first = self._first, ()
            return events
        if self.position < self._handed_from:
            return self._catch_up()
        with self._changed:
            self._changed.wait_for(lambda: self._handed or self._is_dropped, seconds)
            if not self._handed:
                return None if self._is_dropped else ()
            events = tuple(event for event in self._handed if event.sequence_number > self.position)
            self.position = max(self.position, self._handed[-1].sequence_number)
            self._handed.clear()
            return events

    def close(self) -> None:
        """Leave. Calling it again does nothing."""
        self._leave(self)

    def _catch_up(self) -> Events:
        missed = _EVERY_EVENT.after_sequence_number(self.position).as_of(self._handed_from)
        found = self._store.query(missed, limit=EVENTS_AT_A_TIME)
        is_all = len(found) < EVENTS_AT_A_TIME
        self.position = self._handed_from if is_all else found.max_sequence_number
        return found.events


def _newest(store: EventStore) -> EventStream:
    return store.query(_EVERY_EVENT, limit=NEWEST_EVENTS, backwards=True)
