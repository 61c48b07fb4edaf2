"""A connection pool with the session settings that make queries and appends fast."""

import select
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from eventstore.postgres.silence import SilenceBounded
from eventstore.postgres.sqlstates import translated

Pool = ConnectionPool[psycopg.Connection[Any]]

# The generic plan of a filter is the right one, but estimated high enough to start parallel workers and the JIT
# compiler, which cost more than the query. And a plan that was made while the store was small must not scan it all
# when it has grown.
_SETTINGS: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}
CONNECTION: Final[Mapping[str, object]] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "eventstore",
}
"""Parameters of every connection: a server that does not answer is given up within half a minute."""

_SHORT_WAIT: Final = 0.1
_RECONNECT_FOR: Final = 5.0
"""Seconds. The pauses of the pool between attempts grow until then, and with the next request they begin anew: so a
server that is back is found within as many seconds, however long it was away."""

# Windows has none; there a connection that ended in the pool is found out only when it is used.
_NEW_POLL: Callable[[], select.poll] | None = getattr(select, "poll", None)


@contextmanager
def open_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    timeout: float = 10.0,
    prepare: bool = True,
    wait: bool = True,
    longest_silence: float | None = None,
) -> Generator[Pool]:
    """Open a pool for `PostgresEventStore`, and close it at the end of the block.

    Any other psycopg `ConnectionPool` works as well: only speed depends on what is set here.

    Args:
        dsn: a libpq connection string; what it says wins over the settings of this function.
        min_size, max_size: number of connections.
        timeout: seconds to wait for a free connection. Whoever comes after a wait in vain waits for a tenth of a second
            only, until a connection is there again: while the server is away, nobody's threads pile up here.
        prepare: False for PgBouncer in transaction mode, where neither prepared statements nor start-up options work.
        wait: False opens the pool also while the server does not answer: for a replica, which a store can do without.
        longest_silence: seconds after which a statement is given up if nothing arrives from a server that is connected,
            with an unknown outcome if it may have written. Longer than the `lock_timeout` of the store, and than any
            statement works before its first row; None waits for as long as it takes, for an upgrade of the schema, say.

    Raises:
        StoreUnavailable: if no connection can be made, with the server's reason.
    """
    with translated(may_have_written=False):
        arguments: dict[str, Any] = {**CONNECTION, **conninfo_to_dict(dsn), "autocommit": True}
        if prepare:
            settings = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
            arguments["options"] = f"{settings} {arguments.get('options', '')}".strip()
        else:
            arguments["prepare_threshold"] = None
        # The pool itself would retry in the background and finally say only that it waited: ask once, directly.
        if wait:
            psycopg.connect(**arguments).close()
        pool: Pool = _FailingFast(
            kwargs=arguments,
            min_size=min_size,
            max_size=max_size,
            timeout=timeout,
            reconnect_timeout=_RECONNECT_FOR,
            open=False,
            name="eventstore",
            **({} if longest_silence is None else _bounded(longest_silence)),
        )
        pool.open(wait=wait, timeout=timeout)
    try:
        yield pool
    finally:
        pool.close()


def _bounded(longest_silence: float) -> dict[str, Any]:
    def configure(connection: SilenceBounded) -> None:
        connection.longest_silence = longest_silence

    return {"connection_class": SilenceBounded, "configure": configure}


class _FailingFast(ConnectionPool[psycopg.Connection[Any]]):
    """See `timeout` of `open_pool`."""

    _last_was_in_vain = False

    def getconn(self, timeout: float | None = None) -> psycopg.Connection[Any]:
        if timeout is None and self._last_was_in_vain:
            timeout = min(self.timeout, _SHORT_WAIT)
        try:
            connection = super().getconn(timeout)
        except PoolTimeout:
            self._last_was_in_vain = True
            raise
        self._last_was_in_vain = False
        return connection


class borrowed:  # noqa: N801 (read as a verb: `with borrowed(pool) as connection:`)
    """Take a connection in autocommit mode from whatever pool the caller has; it goes back as it was.

    Args:
        pool: the pool.
        timeout: seconds to wait for a free connection; None: as long as the pool says.
    """

    __slots__ = ("_autocommit", "_connection", "_pool", "_timeout")

    def __init__(self, pool: Pool, timeout: float | None = None) -> None:
        self._pool = pool
        self._timeout = timeout

    def __enter__(self) -> psycopg.Connection[Any]:
        with translated(may_have_written=False):
            self._connection = connection = _living(self._pool, self._timeout)
        self._autocommit = connection.autocommit
        if not self._autocommit:
            try:
                with translated(may_have_written=False):
                    connection.autocommit = True
            except BaseException:
                self._pool.putconn(connection)
                raise
        return connection

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        connection = self._connection
        try:
            if not self._autocommit and not connection.closed:
                connection.autocommit = False
        finally:
            self._pool.putconn(connection)


def _living(pool: Pool, timeout: float | None) -> psycopg.Connection[Any]:
    """Take a connection that did not end while it lay in the pool, as all do when the server restarts.

    Nothing has been sent yet, so the caller need not hear of it: it could not be told from a lost answer later.
    """
    for _ in range(pool.max_size):
        connection = pool.getconn(timeout)
        if not _has_something_to_say(connection) or _answers(connection):
            return connection
        pool.putconn(connection)  # which makes another one
    return pool.getconn(timeout)


def _has_something_to_say(connection: psycopg.Connection[Any]) -> bool:
    """Whether something has arrived that nobody asked for: its end, mostly. Takes about 2 microseconds."""
    if _NEW_POLL is None:
        return False
    poll = _NEW_POLL()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True


def fetch(
    connection: psycopg.Connection[Any], statement: LiteralString | bytes, parameters: list[object]
) -> list[tuple[Any, ...]]:
    """Run one statement, prepared where the connection allows it, and return its rows."""
    # The cursor class is ours: one that interpolates on the client could not answer in binary.
    with psycopg.Cursor(connection, row_factory=tuple_row) as cursor:
        return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


__all__ = ["CONNECTION", "Pool", "borrowed", "fetch", "open_pool"]
