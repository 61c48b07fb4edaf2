"""The floor of an append by many: a table with the same rows and indexes, without triggers, lock or guard."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from eventstore.events import StorableEvent
from eventstore.postgres.schema import TableName, secondary_indexes

_NAME: Final = "unguarded_twin"
_DROP: Final[LiteralString] = "DROP TABLE IF EXISTS {twin}"
_MAKE: Final[tuple[LiteralString, ...]] = (
    _DROP,
    "CREATE TABLE {twin} (LIKE {table} INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING STORAGE)",
    "INSERT INTO {twin} SELECT * FROM {table}",
    "ALTER TABLE {twin} ADD PRIMARY KEY (sequence_number)",
    "ALTER TABLE {twin} ALTER sequence_number ADD GENERATED ALWAYS AS IDENTITY",
    "SELECT setval(pg_get_serial_sequence({name}, 'sequence_number'), max(sequence_number)) FROM {twin}",
)
_INSERT: Final[LiteralString] = """
INSERT INTO {twin} (event_id, event_type, occurred_at, payload, metadata)
VALUES (%s, %s, %s, %s::jsonb, %s::jsonb)
"""


@contextmanager
def twin_of(dsn: str, table: str) -> Generator[str]:
    """Make the twin of an events table beside it, give its name, and drop it at the end.

    It is as long as the original, for the indexes of a short table are shallower: that would be another floor.

    Args:
        dsn: a role that may create tables in the schema of the original.
        table: the events table.
    """
    original = TableName.parse(table)
    twin = TableName(original.schema, _NAME)
    names = {
        "table": Identifier(original.schema, original.table),
        "twin": Identifier(twin.schema, twin.table),
        "name": str(twin),
    }
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning; SET maintenance_work_mem = '256MB'")
            for statement in _MAKE:
                connection.execute(SQL(statement).format(**names))
            connection.execute(secondary_indexes(twin).encode())
            connection.execute(SQL("VACUUM (ANALYZE) {}").format(names["twin"]))
            with suppress(InsufficientPrivilege):
                # Else the store would write whole pages to the log, after the last checkpoint, and its twin would not.
                connection.execute("CHECKPOINT")
        yield str(twin)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(SQL(_DROP).format(**names))


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
