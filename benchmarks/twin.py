"""A store to write into by many, and its floor: the same rows and indexes without triggers, lock or guard."""

import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from eventstore.events import StorableEvent
from eventstore.postgres.schema import TableName, secondary_indexes, table_and_functions

_COPY: Final[LiteralString] = """
INSERT INTO {copy} (event_id, event_type, occurred_at, payload, metadata)
SELECT event_id, event_type, occurred_at, payload, metadata FROM {original} ORDER BY sequence_number
"""
_TWIN: Final[tuple[LiteralString, ...]] = (
    "CREATE TABLE {twin} (LIKE {copy} INCLUDING CONSTRAINTS INCLUDING STORAGE)",
    "INSERT INTO {twin} SELECT * FROM {copy}",
    "ALTER TABLE {twin} ADD PRIMARY KEY (sequence_number)",
    "ALTER TABLE {twin} ALTER sequence_number ADD GENERATED ALWAYS AS IDENTITY",
    "SELECT setval(pg_get_serial_sequence({name}, 'sequence_number'), max(sequence_number)) FROM {twin}",
)
_INSERT: Final[LiteralString] = """
INSERT INTO {twin} (event_id, event_type, occurred_at, payload, metadata)
VALUES (%s, %s, %s, %s::jsonb, %s::jsonb)
"""


class Copies(NamedTuple):
    """Two events tables with the same events.

    Attributes:
        store: one of ours, complete.
        twin: one without triggers, whose numbers come from an identity column.
    """

    store: str
    twin: str


@contextmanager
def copies_of(dsn: str, table: str) -> Generator[Copies]:
    """Copy an events table twice, into a schema of their own that is dropped at the end.

    The original stays as long as it was primed. The twin is as long as the store, for the indexes of a short table are
    shallower: that would be another floor.

    Args:
        dsn: a role that may create schemas.
        table: the original.
    """
    original = TableName.parse(table)
    schema = f"benchmark_writers_{uuid.uuid4().hex[:12]}"
    store, twin = TableName(schema, "events"), TableName(schema, "unguarded")
    names = {
        "original": Identifier(original.schema, original.table),
        "copy": Identifier(store.schema, store.table),
        "twin": Identifier(twin.schema, twin.table),
        "name": str(twin),
    }
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET maintenance_work_mem = '256MB'")
            connection.execute(table_and_functions(store).encode())
            for statement in (_COPY, *_TWIN):
                connection.execute(SQL(statement).format(**names))
            for each in (store, twin):
                connection.execute(secondary_indexes(each).encode())
                connection.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(each.schema, each.table)))
            with suppress(InsufficientPrivilege):
                connection.execute("CHECKPOINT")  # or its disk traffic would fall into some stretch
        yield Copies(str(store), str(twin))
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


class Inserts:
    """INSERTs of single events in autocommit mode, prepared, as a careful programmer would write them.

    Args:
        connection: in autocommit mode.
        table: which table; any with the columns of an events table.
    """

    def __init__(self, connection: Connection[Any], table: str) -> None:
        name = TableName.parse(table)
        self._cursor = connection.cursor()
        self._statement = SQL(_INSERT).format(twin=Identifier(name.schema, name.table)).as_bytes()

    def insert(self, event: StorableEvent) -> None:
        """Insert and commit."""
        values = (
            event.event_id,
            event.event_type,
            event.occurred_at,
            event.payload.decode(),
            event.metadata.decode(),
        )
        rows = self._cursor.execute(self._statement, values, prepare=True, binary=True).rowcount
        assert rows == 1
