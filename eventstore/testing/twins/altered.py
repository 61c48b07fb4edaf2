"""Our own store with one mechanism taken out of its schema, or one habit of its client changed."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from eventstore.events import StorableEvent
from eventstore.filters import Filter
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.schema import TableName, secondary_indexes, table_and_functions
from eventstore.store import AppendCondition, EventStream
from eventstore.testing.port import EventsTable, RaceStore
from eventstore.testing.twins.plain import row

_LOCK: Final = r"PERFORM pg_advisory_xact_lock\([^)]*\);"
# Where a single request takes the lock: the function for several in one transaction has other parameters.
_BEFORE_LOCK: Final = r"(_append_(?:one|batch)\W+p_event_id.*?asked := clock_timestamp\(\);\s+)"
_READ_HEAD: Final = r"SELECT coalesce\(\(SELECT e\.sequence_number FROM [^;]*\s+INTO result\.head;"

Alteration = tuple[str, str]
"""A regular expression that finds the mechanism in the schema, and what stands there instead."""

WITHOUT_LOCK: Final[Alteration] = (_LOCK, "NULL;")
WITHOUT_LOCK_IN_TRIGGER: Final[Alteration] = (rf"(_before_insert\W+RETURNS trigger.*?){_LOCK}", r"\1NULL;")
LOCK_IF_GUARDED: Final[Alteration] = (
    rf"{_BEFORE_LOCK}({_LOCK})",
    r"\1IF p_filter IS NOT NULL THEN \2 END IF;",
)
HEAD_BEFORE_LOCK: Final[Alteration] = (rf"(asked := clock_timestamp\(\);\s+{_LOCK}.*?)({_READ_HEAD})", r"\2 \1")
WITHOUT_ISOLATION_CHECK: Final[Alteration] = (
    r"IF current_setting\('transaction_isolation'\) <> 'read committed' THEN",
    "IF false THEN",
)
WITHOUT_GUARD: Final[Alteration] = (r"IF p_filter IS NOT NULL AND p_after <> result\.head THEN", "IF false THEN")
REFUSE_IF_BUSY: Final[Alteration] = (
    rf"{_BEFORE_LOCK}PERFORM pg_advisory_xact_lock(\([^)]*\));",
    r"""\1IF p_filter IS NOT NULL AND NOT pg_try_advisory_xact_lock\2 THEN
        result := ('conflict', NULL, p_after + 1, p_after + 1, 'unknown', gen_random_uuid(), NULL, 0);
        RETURN result;
    END IF;
    PERFORM pg_advisory_xact_lock\2;""",
)
WITHOUT_FILTER: Final[Alteration] = (
    r"WHERE \(item\.types = '\{\}'.*?(ORDER BY e\.sequence_number, item\.position)",
    r"\1",
)
WITHOUT_EVENT_IDS: Final[Alteration] = (r"IF (FOUND|stored\.sequence_numbers IS NOT NULL) THEN", "IF false THEN")

Client = Callable[[Pool, EventsTable], RaceStore]


class WrongExpression(Exception):
    """A mechanism was not found in the schema: the schema has changed, and the expression must follow it."""


def our_client(pool: Pool, table: EventsTable) -> RaceStore:
    """The store of this package."""
    # The kit holds sessions for as long as it likes; the product's own bound is tested elsewhere.
    return PostgresEventStore(pool, str(table), lock_timeout=600)


@dataclass(frozen=True, slots=True)
class OurSubject:
    """The store of this package, as it is or altered.

    Attributes:
        alterations: what is changed in the schema.
        client: who appends and queries.
        isolation: the default isolation level of its connections.
    """

    alterations: tuple[Alteration, ...] = ()
    client: Client = our_client
    isolation: str = "read committed"

    def create(self, dsn: str, schema: str) -> EventsTable:
        """See `RaceSubject.create`."""
        table = EventsTable(schema)
        name = TableName.parse(str(table))
        script = table_and_functions(name)
        for expression, replacement in self.alterations:
            script, count = re.subn(expression, replacement, script, flags=re.DOTALL)
            if not count:
                raise WrongExpression(expression)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(script.encode())
            connection.execute(secondary_indexes(name).encode())
        return table

    @contextmanager
    def open(self, dsn: str, table: EventsTable, connections: int) -> Generator[RaceStore]:
        """See `RaceSubject.open`."""
        given = str(conninfo_to_dict(dsn).get("options") or "")
        isolation = self.isolation.replace(" ", "\\ ")
        options = f"{given} -c default_transaction_isolation={isolation}"
        with open_pool(make_conninfo(dsn, options=options), max_size=connections) as pool:
            yield self.client(pool, table)

    def row(self, event: StorableEvent) -> dict[str, object]:
        """See `RaceSubject.row`."""
        return row(event)


class OneByOne:
    """Appends a batch as so many appends; only the first one asks."""

    def __init__(self, pool: Pool, table: EventsTable) -> None:
        self._store = our_client(pool, table)

    def query(self, filter: Filter, /) -> EventStream:
        """See `RaceStore.query`."""
        return self._store.query(filter)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        numbers = self._store.append(first, condition=condition)
        for event in more:
            numbers += self._store.append(event)
        return numbers


class PositionFromSequence:
    """Takes the position from the sequence, which is cheaper than MAX: the number drawn last, visible or not."""

    _LAST_DRAWN: Final = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}"

    def __init__(self, pool: Pool, table: EventsTable) -> None:
        self._pool = pool
        self._sequence = Identifier(table.schema, f"{table.name}_sequence_number")
        self._store = our_client(pool, table)

    def query(self, filter: Filter, /) -> EventStream:
        """See `RaceStore.query`."""
        stream = self._store.query(filter)
        with borrowed(self._pool) as connection:
            ((position,),) = connection.execute(SQL(self._LAST_DRAWN).format(self._sequence)).fetchall()
        return replace(stream, position=position)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        return self._store.append(first, *more, condition=condition)
