"""Following a store in the background, and waiting until something has arrived."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from eventstore import Batch, EventStore, Filter, SequencedEvent, StoreUnavailable, Subscription
from eventstore.events import StorableEvent
from tests.eventstore.examples import EVERYTHING
from tests.eventstore.faults import LONGEST_WAIT, ask, in_background, wait_until

NEVER: Final = 3600.0
LISTENING: Final = "FROM pg_stat_activity WHERE query = %s"


class Follower:
    """Follows a store in a thread of its own, and keeps what came. The end of the `with` block closes it."""

    def __init__(self, store: EventStore, filter: Filter = EVERYTHING, after: int = 0) -> None:
        self.batches: list[Batch] = []
        self.subscription: Subscription = store.subscribe(filter, after)
        self._arrived = threading.Condition()
        self._thread = 0
        self._end = in_background(self._follow)

    def _follow(self) -> None:
        self._thread = threading.get_ident()
        for batch in self.subscription:
            with self._arrived:
                self.batches.append(batch)
                self._arrived.notify_all()

    @property
    def events(self) -> list[SequencedEvent]:
        return [event for batch in self.batches for event in batch]

    @property
    def numbers(self) -> list[int]:
        return [event.sequence_number for event in self.events]

    @property
    def position(self) -> int:
        return self.batches[-1].position if self.batches else 0

    @property
    def has_ended(self) -> bool:
        return self._end.done()

    def reached(self, position: int) -> Self:
        """Wait until everything up to the position has arrived."""
        with self._arrived:
            there = self._arrived.wait_for(lambda: self.position >= position, LONGEST_WAIT)
        assert there, f"only {self.position} of {position} arrived"
        return self

    def waits(self) -> Self:
        """Return once the thread is asleep within the subscription."""
        eventually(lambda: self._thread != 0 and _sleeps(self._thread), "the subscription waits")
        return self

    def ended(self) -> Self:
        """Wait for the end of the iteration, and raise what it ended with."""
        self._end.result(LONGEST_WAIT)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.subscription.close()
        if kind is None:
            self.ended()


def eventually(is_true: Callable[[], bool], what: str) -> None:
    """Ask again and again until it is true."""
    pause = threading.Event()
    deadline = time.monotonic() + LONGEST_WAIT
    while not is_true():
        assert time.monotonic() < deadline, f"never true: {what}"
        pause.wait(0.002)


def append_at_last(store: EventStore, *events: StorableEvent) -> list[int]:
    """Append the same events until the server is back."""
    deadline = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            return store.append(*events)
        except StoreUnavailable:
            assert time.monotonic() < deadline, "the store does not come back"


def listeners(dsn: str, table: str) -> int:
    """How many sessions listen to a table."""
    number: int = ask(dsn, f"SELECT count(*) {LISTENING}", _command(table))
    return number


def wait_for_listeners(dsn: str, table: str, number: int) -> None:
    """Return once so many sessions listen to the table."""
    wait_until(dsn, f"SELECT count(*) = %s {LISTENING}", number, _command(table))


def end_listeners(dsn: str, table: str) -> None:
    """End the sessions that listen to the table, and return when they are gone."""
    ended = ask(dsn, f"SELECT count(pg_terminate_backend(pid, 60000)) {LISTENING}", _command(table))
    assert ended


def _command(table: str) -> str:
    return f'LISTEN "{table}"' if "." in table else f'LISTEN "public.{table}"'


def _sleeps(thread: int) -> bool:
    frame = sys._current_frames().get(thread)
    return frame is not None and frame.f_code.co_filename == threading.__file__ and frame.f_code.co_name == "wait"
