"""Following a store in the background, and waiting until something has arrived."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from eventstore import EventStore, StorableEvent, StoreUnavailable
from eventstore.testing.contract import following
from tests.eventstore.faults import LONGEST_WAIT, ask, wait_until

NEVER: Final = 3600.0
LISTENING: Final = "FROM pg_stat_activity WHERE query = %s"


class Follower(following.Follower):
    """A follower of which can also be told that it waits."""

    _thread = 0

    def _follow(self) -> None:
        self._thread = threading.get_ident()
        super()._follow()

    def waits(self) -> Self:
        """Return once the thread is asleep within the subscription."""
        eventually(lambda: self._thread != 0 and _sleeps(self._thread), "the subscription waits")
        return self


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
