"""The least that any client of PostgreSQL would need for what the store does.

On the store's own connection: a second server process would find the caches of the processor cold. The statements are
made into bytes once, their parameters are bound by hand: nothing that a careful programmer would leave out is left in.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, LiteralString, NamedTuple

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from benchmarks.sampling import Measured
from eventstore import StorableEvent
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import TableName

ROUND_TRIP: Final = "round trip (SELECT 1)"

# The columns and their form as the store reads them; only the way to the rows differs.
COLUMNS: Final[LiteralString] = """
SELECT sequence_number, event_id, event_type, occurred_at AT TIME ZONE 'UTC', payload::text, metadata::text
FROM {table}
"""
_ROWS_BY_KEY: LiteralString = COLUMNS + "WHERE sequence_number = ANY(%s::bigint[]) ORDER BY sequence_number"
_BARE_INSERT: LiteralString = "INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata) VALUES "
_ROW: LiteralString = "(%s, %s, %s, %s::jsonb, %s::jsonb)"


class Borrowed(NamedTuple):
    """A connection of the store's pool, and what is done with it."""

    connection: Connection[Any]
    what: Any


class Floors:
    """Things to measure beside those of a store, with its rows and on its connections.

    Args:
        pool: the store's.
        table: the events table.
    """

    def __init__(self, pool: Pool, table: str) -> None:
        self._pool = pool
        self._table = TableName.parse(table)

    def round_trip(self) -> Measured[Borrowed, object]:
        """What the driver and the socket cost."""
        return Measured(ROUND_TRIP, lambda: self._borrow(None), _select_one, lambda raw, _: self._release(raw))

    def rows_by_key(self, name: str, numbers: Callable[[], list[int]]) -> Measured[Borrowed, list[tuple[Any, ...]]]:
        """Fetch rows by their numbers, as plain tuples.

        Args:
            name: as the table shows it.
            numbers: which rows, in order; asked before the clock starts.
        """
        statement = for_table(_ROWS_BY_KEY, self._table)

        def check(raw: Borrowed, rows: list[tuple[Any, ...]]) -> None:
            self._release(raw)
            assert [row[0] for row in rows] == raw.what

        return Measured(
            name,
            lambda: self._borrow(numbers()),
            lambda raw: fetch(raw.connection, statement, [raw.what]),
            check,
        )

    def insert(
        self, name: str, events: Callable[[], Sequence[StorableEvent]], undo: Callable[[], object], count: int = 1
    ) -> Measured[Borrowed, int]:
        """INSERT events by one statement, which commits at once.

        Args:
            name: as the table shows it.
            events: which ones; asked before the clock starts.
            undo: leaves the store as it was found, after the clock has stopped.
            count: how many events there are each time.
        """
        statement = for_table(_BARE_INSERT + ", ".join([_ROW] * count), self._table)

        def run(raw: Borrowed) -> int:
            values = [value for event in raw.what for value in _values(event)]
            with raw.connection.cursor(row_factory=tuple_row) as cursor:
                return cursor.execute(statement, values, prepare=True, binary=True).rowcount

        def check(raw: Borrowed, rows: int) -> None:
            self._release(raw)
            assert rows == count
            undo()

        return Measured(name, lambda: self._borrow(events()), run, check)

    def _borrow(self, what: object) -> Borrowed:
        return Borrowed(self._pool.getconn(), what)

    def _release(self, raw: Borrowed) -> None:
        self._pool.putconn(raw.connection)


def fetch(connection: Connection[Any], statement: bytes | LiteralString, values: list[Any]) -> list[tuple[Any, ...]]:
    """All rows of a prepared statement."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement, values, prepare=True, binary=True).fetchall()


def for_table(text: LiteralString, name: TableName) -> bytes:
    """The statement for one table, made once: it takes its time."""
    return SQL(text).format(table=Identifier(name.schema, name.table)).as_bytes()


def _select_one(raw: Borrowed) -> object:
    return fetch(raw.connection, "SELECT 1", [])


def _values(event: StorableEvent) -> tuple[Any, ...]:
    return event.event_id, event.event_type, event.occurred_at, event.payload.decode(), event.metadata.decode()
