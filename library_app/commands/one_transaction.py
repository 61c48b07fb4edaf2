"""Changing many tables all or nothing: one transaction behind the face of a pool."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from eventstore.postgres.pool import CONNECTION, Pool
from eventstore.postgres.sqlstates import translated


@contextmanager
def one_transaction(dsn: str) -> Generator[Pool]:
    """A pool with a single connection, in a transaction that is committed at the end of the block.

    Whoever makes or upgrades tables takes a pool and opens a transaction of its own. Here those are parts of one,
    which an error of any of them rolls back as a whole.

    Args:
        dsn: libpq connection string.

    Raises:
        StoreUnavailable: the server does not answer, or refuses. Nothing has changed, unless `outcome_unknown`.
    """
    arguments: dict[str, Any] = {**CONNECTION, **conninfo_to_dict(dsn), "autocommit": True}
    with translated(may_have_written=True), psycopg.connect(**arguments) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        with connection.transaction():
            yield _OneConnection(connection)


class _OneConnection(ConnectionPool[psycopg.Connection[Any]]):
    """Never opened: it has its connection already, and lends it to one borrower after the other."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(open=False, min_size=1, max_size=1)
        self._lent = connection

    def getconn(self, timeout: float | None = None) -> psycopg.Connection[Any]:  # noqa: ARG002
        return self._lent

    def putconn(self, conn: psycopg.Connection[Any]) -> None:
        """It stays with the transaction."""
