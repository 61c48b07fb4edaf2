"""Explains queries with PostgreSQL's EXPLAIN."""

from typing import Final

from eventstore import Filter
from eventstore.postgres import PostgresEventStore, where_clause
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.glass.explanation import Explanation

_READ_ONLY: Final = "SET TRANSACTION READ ONLY"
_PATIENCE: Final = "SET LOCAL statement_timeout = '2s'"


class PostgresExplains:
    """Implements `Explains`, in the sessions that queries are run in, so that the settings are the same.

    Args:
        store: whose queries are explained.
        pool: the pool of that store.
    """

    def __init__(self, store: PostgresEventStore, pool: Pool) -> None:
        self._store = store
        self._pool = pool

    def explain(self, filter: Filter, *, limit: int, backwards: bool) -> Explanation:
        """See `Explains.explain`."""
        statement = self._store.sql(filter, limit=limit, backwards=backwards)
        with (
            borrowed(self._pool) as connection,
            translated(may_have_written=False),
            connection.transaction(),
        ):
            connection.execute(_READ_ONLY)
            connection.execute(_PATIENCE)
            # The text is the store's own, values quoted by psycopg. Besides, binary answers need the extended protocol,
            # in which the server takes one command and no more, and this one is neither run nor kept prepared.
            rows = connection.execute(f"EXPLAIN {statement}".encode(), prepare=False, binary=True).fetchall()
        return Explanation(where_clause(filter), statement, "\n".join(str(line) for (line,) in rows))
