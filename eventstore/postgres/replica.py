"""Eventual reads: a streaming replica answers them; if it cannot, or not soon enough, the primary does.

A replica replays commits in the order in which the primary made them, and that is sequence order. Whatever it has
replayed is therefore a complete past of the store: every event up to its head, none beyond.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg

from eventstore.errors import EventStoreError, SchemaMissing, StoreUnavailable
from eventstore.filters import Filter
from eventstore.postgres import schema, statements
from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.reading import stream_of
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from eventstore.store import EventStream

DEFAULT_PATIENCE: Final = 0.2
"""Seconds. A healthy replica is milliseconds behind, so that nearly every wait ends with its answer; and whoever turns
to the primary in the end hardly notices the delay."""

RETRY_AFTER: Final = 5.0
"""Seconds for which a replica that failed is left alone."""

LAGS_FOR: Final = 1.0
"""Seconds for which nobody waits for a replica, once somebody has waited in vain for it to catch up."""

_START_UP: Final = 2.0
_SHORTEST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05
_BORROW_AT_LEAST: Final = 0.01

# The replica is well, but one statement was in the way of its replay, or was cancelled.
_CANCELLED: Final = frozenset({"40001", "40P01", "57014"})

# A streaming replica has the identifier of its primary's cluster, and the same number for the same database.
_IDENTITY: Final = """
SELECT (SELECT system_identifier FROM pg_control_system()),
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
"""

_log = logging.getLogger(__name__)


class Replica:
    """The replicas of one events table, asked as long as they answer.

    Args:
        pool: leads to one or more hot standbys.
        table: the events table.
        patience: seconds that a read waits for a free connection and for the replica to catch up, both together.

    Raises:
        ValueError: for a patience that cannot be used.
    """

    def __init__(self, pool: Pool, table: TableName, patience: float) -> None:
        if not 0.001 <= patience <= 3600:
            raise ValueError(f"replica_patience must be between 0.001 and 3600 seconds, not {patience!r}")
        self._pool = pool
        self._table = table
        self._patience = patience
        self._health = Health(str(table))

    def query(self, filter: Filter, limit: int | None, backwards: bool, at_least: int | None) -> EventStream | None:
        """Ask a replica; None means that the primary has to answer, whatever the reason."""
        if not self._health.worth_asking():
            return None
        statement, parameters = statements.query(self._table, filter, limit, backwards, of_standby=True)
        began = time.monotonic()
        try:
            rows = self._rows_reaching(at_least or 0, statement, parameters, began + self._patience)
        except EventStoreError as error:
            if _is_to_blame(error):
                self._health.failed(error, began)
            return None
        return None if rows is None else stream_of(rows, filter, limit, backwards)

    def check_same_database(self, primary: Pool) -> None:
        """Make sure at start-up that the positions of both mean the same; a replica that is down is not to be had.

        Raises:
            ValueError: the replica is one of another database.
        """
        try:
            ours, theirs = _identity(primary, None), _identity(self._pool, _START_UP)
        except EventStoreError as error:
            _log.warning("cannot tell whether the replica of %s is one: %s", self._table, error)
            return
        if ours != theirs:
            raise ValueError(
                f"the replica of {self._table} is one of another database: its server has system identifier {theirs[0]}"
                f" and database oid {theirs[1]}, the primary has {ours[0]} and {ours[1]}"
            )

    def _rows_reaching(
        self, position: int, statement: bytes, parameters: list[object], deadline: float
    ) -> list[tuple[Any, ...]] | None:
        while True:  # as several replicas behind one pool are not equally far
            rows = self._ask(statement, parameters, deadline)
            head: int = rows[0][0]
            if head >= position:
                return rows
            if not self._catches_up(position, deadline):
                return None

    def _catches_up(self, position: int, deadline: float) -> bool:
        """Wait until the replica has replayed so far; only its head is asked for meanwhile, which costs it little."""
        if not self._health.worth_waiting():
            return False
        statement = statements.head(self._table, of_standby=True)
        pause = _SHORTEST_PAUSE
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            head: int = self._ask(statement, [], deadline)[0][0]
            if head >= position:
                return True
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._health.lagged()
        return False

    def _ask(self, statement: bytes, parameters: list[object], deadline: float) -> list[tuple[Any, ...]]:
        with borrowed(self._pool, max(deadline - time.monotonic(), _BORROW_AT_LEAST)) as connection:
            rows = _fetch_from_standby(connection, statement, parameters)
        self._health.answered()
        return rows


class Health:
    """Whether replicas are worth asking: after a failure they are left alone for a while, then one read tries again.

    Args:
        name: what it is a replica of, for the log.
        clock: seconds that never run backwards.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._answered_at = float("-inf")
        self._lagged_at = float("-inf")
        self._ask_again_at: float | None = None  # None: no outage

    def worth_asking(self) -> bool:
        """True if there is no outage, and for one caller each time that a trial is due."""
        with self._lock:
            if self._ask_again_at is None:
                return True
            now = self._clock()
            if now < self._ask_again_at:
                return False
            self._ask_again_at = now + RETRY_AFTER
            return True

    def worth_waiting(self) -> bool:
        """False shortly after somebody has waited in vain."""
        return self._clock() >= self._lagged_at + LAGS_FOR

    def lagged(self) -> None:
        """A replica answers, but has not caught up in time."""
        self._lagged_at = self._clock()

    def answered(self) -> None:
        """A replica has answered."""
        with self._lock:
            self._answered_at = self._clock()
            if self._ask_again_at is not None:
                self._ask_again_at = None
                _log.info("the replica of %s answers again", self._name)

    def failed(self, error: EventStoreError, began: float) -> None:
        """A read that began at that moment got no answer. If others got theirs meanwhile, it is no outage."""
        with self._lock:
            if self._answered_at >= began:
                return
            if self._ask_again_at is None:
                _log.warning("the primary answers in place of the replica of %s: %s", self._name, error)
            self._ask_again_at = self._clock() + RETRY_AFTER


def wait_for_append_under_way(pool: Pool, table: TableName, lock_timeout: float) -> None:
    """Return when the append that is being committed just now, if any, can be seen by everybody.

    A replica may show a commit before the primary does, which with synchronous replication waits for the replica's
    word. So a position that a replica gave is not unknown to the primary before this wait.

    Raises:
        StoreUnavailable: the append has not finished in time.
    """
    with borrowed(pool) as connection, translated(may_have_written=False), connection.transaction():
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(lock_timeout * 1000)}ms"])
        append_lock = "SELECT pg_advisory_xact_lock_shared(%s, %s)"
        connection.execute(append_lock, [schema.LOCK_NAMESPACE, table.lock_key])


def _fetch_from_standby(
    connection: psycopg.Connection[Any], statement: bytes, parameters: list[object]
) -> list[tuple[Any, ...]]:
    with translated(may_have_written=False):
        rows = fetch(connection, statement, parameters)
    # What a promoted server says is no past of our store any more: others may append to it while our primary runs.
    if rows[0][0] is None:
        connection.close()
        raise StoreUnavailable("its server is no standby", outcome_unknown=False)
    return rows


def _identity(pool: Pool, timeout: float | None) -> tuple[Any, ...]:
    with borrowed(pool, timeout) as connection, translated(may_have_written=False):
        return fetch(connection, _IDENTITY, [])[0]


def _is_to_blame(error: EventStoreError) -> bool:
    """Whether the next read would fare no better."""
    if isinstance(error.__cause__, psycopg.Error) and error.__cause__.sqlstate in _CANCELLED:
        return False
    return isinstance(error, StoreUnavailable | SchemaMissing)
