"""One connection, outside the pool, on which PostgreSQL tells that events were inserted."""

import logging
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from eventstore.postgres import statements
from eventstore.postgres.pool import CONNECTION, Pool
from eventstore.postgres.schema import TableName

_SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
_QUIET: Final = 30.0
"""Seconds from one warning to the next: a server comes back connection by connection."""

_log = logging.getLogger("eventstore.postgres.subscriptions")


def pause(failures: int) -> float:
    """Seconds to wait before the next attempt: longer after each failure in a row, and never the same for all."""
    longest = min(LONGEST_PAUSE, _SHORTEST_PAUSE * 2 ** min(failures - 1, 10))
    return random.uniform(longest / 2, longest)  # noqa: S311


class Outage:
    """Logs that something does not work, and that it works again: once, however many meet it. Safe between threads.

    Args:
        what: does not work, in words.
        log: where it is told.
    """

    def __init__(self, what: str, log: logging.Logger = _log) -> None:
        self._what = what
        self._log = log
        self._lock = threading.Lock()
        self._is_told = False
        self._told_at = float("-inf")

    def goes_on(self, reason: object) -> None:
        """Say that it failed, now or again."""
        with self._lock:
            is_news = not self._is_told and time.monotonic() - self._told_at > _QUIET
            if is_news:
                self._is_told, self._told_at = True, time.monotonic()
        if is_news:
            self._log.warning("%s: %s", self._what, reason)

    def is_over(self) -> None:
        """Say that it works."""
        with self._lock:
            was_told, self._is_told = self._is_told, False
        if was_told:
            self._log.info("over: %s", self._what)


class Listener:
    """Hears the notifications of an events table in a thread of its own, until it is stopped.

    Connects again by itself, however often the connection breaks or the server restarts.

    Args:
        table: the events table.
        pool: whose connection parameters are used, if `dsn` is None.
        dsn: where to listen; None: where the pool connects to, unless a pooler lies between.
        wake: called after each notification, and after each connect, before which some may have been missed.
        outage: is told what happens.
    """

    def __init__(self, table: TableName, pool: Pool, dsn: str | None, wake: Callable[[], None], outage: Outage) -> None:
        self._table = table
        self._pool = pool
        self._dsn = dsn
        self._wake = wake
        self._outage = outage
        self._stopped, self._stop = socket.socketpair()
        name = f"eventstore listens to {table}"
        # A daemon: a subscription that nobody closed must not keep the interpreter from its exit.
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def stop(self) -> None:
        """End the thread and its connection soon; a connection attempt under way is finished first."""
        self._stop.close()

    def _run(self) -> None:
        failures = 0
        with self._stopped:
            while not (failures and self._stopped_within(pause(failures))):
                began = time.monotonic()
                try:
                    self._listen()
                except Exception as reason:  # noqa: BLE001 - also what a pool's own function for its password raises
                    self._outage.goes_on(reason)
                    failures = 1 if time.monotonic() - began > LONGEST_PAUSE else failures + 1
                else:
                    return

    def _listen(self) -> None:
        """Return when stopped, or if nothing can be heard here; raise when the connection breaks."""
        arguments = _connection_arguments(self._pool, self._dsn)
        connection = psycopg.Connection[Any].connect(**arguments)
        try:
            if self._dsn is None and _is_pooled(connection):
                self._outage.goes_on("a connection pooler lies between, which may deliver nothing; give a listen_dsn")
                return
            connection.execute(statements.listen(self._table))
            self._outage.is_over()
            self._wake()
            while not self._stopped_within(None, connection):
                for _ in connection.notifies(timeout=0):
                    pass  # one wake-up for all that have come
                self._wake()
        finally:
            connection.close()

    def _stopped_within(self, seconds: float | None, connection: psycopg.Connection[Any] | None = None) -> bool:
        """Wait until stopped (True), or until the time is over or the connection has something to read (False)."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stopped, selectors.EVENT_READ)
            if connection is not None:
                selector.register(connection, selectors.EVENT_READ)
            return any(key.fileobj is self._stopped for key, _ in selector.select(seconds))


def check_dsn(dsn: str) -> None:
    """Raise ValueError unless libpq can read the connection string."""
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise ValueError("listen_dsn is no connection string of libpq") from None


def _is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """A pooler gives its clients process ids of its own making, since they have no server process of their own."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid


def _connection_arguments(pool: Pool, dsn: str | None) -> dict[str, Any]:
    """What to connect with. Of a pool's arguments only libpq's are taken, none that shape the driver's connection."""
    if dsn is not None:
        given: dict[str, Any] = conninfo_to_dict(dsn)
    else:
        conninfo = pool.conninfo() if callable(pool.conninfo) else pool.conninfo
        arguments = pool.kwargs() if callable(pool.kwargs) else pool.kwargs
        known = {option.keyword.decode() for option in Conninfo.get_defaults()}
        own = {name: value for name, value in (arguments or {}).items() if name in known}
        given = {**conninfo_to_dict(conninfo), **own}
    return {**CONNECTION, **given, "autocommit": True}
