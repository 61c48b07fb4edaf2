"""A connection of one's own, outside every pool, and the locks that it holds for as long as it lives."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from eventstore import EventStoreError
from eventstore.postgres.pool import CONNECTION
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from slices.live import statements

Purpose: TypeAlias = Literal["run", "rebuild", "schema"]
"""What is done by one at a time."""

LOCK_NAMESPACE: Final = 0x4C697665
""""Live": the first key of every lock of a live model, so that applications can keep their own advisory locks apart."""

_LONGEST_NAME: Final = 63


class PoolerInBetween(EventStoreError):
    """Behind a connection pooler a lock belongs to whoever has the session next: name the server itself."""


@contextmanager
def own_connection(dsn: str, table: TableName, model: str) -> Generator[psycopg.Connection[Any]]:
    """Connect, in autocommit mode; pg_stat_activity shows what for.

    Raises:
        StoreUnavailable: the server does not answer, now or later: errors of the driver in the block are translated.
        PoolerInBetween: see there.
    """
    name = f"live {model} of {table}"[:_LONGEST_NAME]
    arguments: dict[str, Any] = {**CONNECTION, **conninfo_to_dict(dsn), "autocommit": True, "application_name": name}
    with translated(may_have_written=True), psycopg.connect(**arguments) as connection:
        # A pooler gives its clients process ids of its own making, since they have no server process of their own.
        if connection.execute(statements.OWN_PROCESS).fetchone() != (connection.info.backend_pid,):
            raise PoolerInBetween("a live model needs a connection to the server itself, and a pooler lies in between")
        connection.execute(statements.SETTINGS)
        yield connection


def lock_keys(table: TableName, model: str, purpose: Purpose) -> dict[str, int]:
    """The keys of an advisory lock: the same in every process and release, others for another table or model."""
    digest = hashlib.sha256(f"{table} {model} {purpose}".encode()).digest()
    return {"namespace": LOCK_NAMESPACE, "key": int.from_bytes(digest[:4], "big", signed=True)}


@contextmanager
def held(connection: psycopg.Connection[Any], table: TableName, model: str, purpose: Purpose) -> Generator[bool]:
    """Hold a lock of the session until the end of the block, or of the connection; False: somebody else holds it."""
    keys = lock_keys(table, model, purpose)
    with translated(may_have_written=True):
        is_ours = connection.execute(statements.TRY_LOCK, keys).fetchone() == (True,)
        try:
            yield is_ours
        finally:
            if is_ours and not connection.closed:
                connection.execute(statements.UNLOCK, keys)
