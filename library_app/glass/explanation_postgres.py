"""Looks filters up in PostgreSQL and explains how: in sessions of their own that have little time and write nothing."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import QueryCanceled

from eventstore import EventStream, Filter, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool, statements, where_clause
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from library_app.glass.explanation import Explanation, TakesTooLong

SECONDS: Final = 2.0
"""What a statement of the playground may take: whoever waits for a page would not wait for longer."""
PATIENCE: Final = 10.0
"""How long a visitor waits for a session."""
AT_A_TIME: Final = 2
"""Sessions of the playground in a process, opened when they are needed: visitors share them."""


@contextmanager
def open_playground(
    dsn: str, table: str = "events", *, seconds: float = SECONDS, patience: float = PATIENCE
) -> "Generator[PostgresExplains]":
    """Open what is behind the playground.

    Args:
        dsn: a libpq connection string.
        table: the events table.
        seconds: what a statement may take.
        patience: seconds to wait for one of the sessions.
    """
    with open_sessions(dsn, seconds, patience) as pool:
        yield PostgresExplains(pool, table)


@contextmanager
def open_sessions(dsn: str, seconds: float = SECONDS, patience: float = PATIENCE) -> Generator[Pool]:
    """Open the sessions, which are made as those of any store, but for their limits; each when it is needed."""
    given = conninfo_to_dict(dsn)
    limits = f"-c statement_timeout={round(1000 * seconds)} -c default_transaction_read_only=on"
    bounded = make_conninfo(dsn, options=f"{given.get('options') or ''} {limits}".strip())
    if given.get("target_session_attrs") == "read-write":
        # Where several hosts are named, libpq would take these very limits for a server that cannot be written to.
        bounded = make_conninfo(bounded, target_session_attrs="primary")
    with open_pool(
        bounded, min_size=0, max_size=AT_A_TIME, timeout=patience, wait=False, longest_silence=2 * seconds
    ) as pool:
        yield pool


class PostgresExplains:
    """Implements `Explains`. Made by `open_playground`.

    Args:
        pool: of sessions that are bounded.
        table: the events table.
    """

    def __init__(self, pool: Pool, table: str) -> None:
        self._pool = pool
        self._table = TableName.parse(table)
        self._store = PostgresEventStore(pool, table)

    def query(self, filter: Filter, *, limit: int, backwards: bool = False) -> EventStream:
        """See `Explains.query`."""
        with _in_time():
            return self._store.query(filter, limit=limit, backwards=backwards)

    def explain(self, filter: Filter, *, limit: int, backwards: bool) -> Explanation:
        """See `Explains.explain`."""
        text = self._store.sql(filter, limit=limit, backwards=backwards)
        with _in_time():
            plan = self._plan(*statements.query(self._table, filter, limit, backwards))
        return Explanation(where_clause(filter), text, plan)

    def _plan(self, statement: bytes, parameters: list[object]) -> str:
        # Prepared as the store's own statements are, whose sessions ask for a plan that serves all values.
        first, *pieces = statement.split(b"%s")
        numbered = first + b"".join(b"$%d" % number + piece for number, piece in enumerate(pieces, 1))
        values = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, parameters))) if parameters else sql.SQL("")
        with borrowed(self._pool) as connection, translated(may_have_written=False):
            connection.execute(b"PREPARE playground AS " + numbered, prepare=False)
            try:
                # Binary answers need the extended protocol, in which the server takes one command and no more.
                explained = sql.SQL("EXPLAIN EXECUTE playground {}").format(values)
                rows = connection.execute(explained, prepare=False, binary=True).fetchall()
            finally:
                connection.execute("DEALLOCATE playground", prepare=False)
        return "\n".join(str(line) for (line,) in rows)


@contextmanager
def _in_time() -> Generator[None]:
    try:
        yield
    except StoreUnavailable as reason:
        if isinstance(reason.__cause__, QueryCanceled):
            raise TakesTooLong from reason
        raise
