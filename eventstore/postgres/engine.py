"""The event store on PostgreSQL. README.md in the folder above explains how and why it works."""

from datetime import UTC, datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from eventstore import json_values
from eventstore.errors import (
    ConcurrencyConflict,
    ConflictingEvent,
    EventIdReused,
    PositionUnknown,
    SchemaMissing,
    SchemaOutdated,
    StoreUnavailable,
)
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import Filter
from eventstore.postgres import schema, statements
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from eventstore.store import AppendCondition, EventStream, check_ids_differ, check_limit, reason_for_cut

_DEFAULT_LOCK_TIMEOUT: Final = 5.0
_MOST_STALE_CHECKS: Final = 10


class _Answer(NamedTuple):
    """One row of the append functions; the fields are explained in the schema."""

    status: str
    sequence_numbers: list[int]
    head: int
    conflict_number: int
    conflict_type: str
    conflict_id: UUID
    conflict_item: int | None
    lock_waited: int


class PostgresEventStore:
    """Events in one table of PostgreSQL 15 or newer; safe to share between threads.

    Args:
        pool: made with `open_pool`, or any psycopg `ConnectionPool`.
        table: the events table, with or without a schema in front. Several tables in one database are several stores.
        lock_timeout: seconds that an append waits for the append lock before `StoreUnavailable`.

    Raises:
        ValueError: for a table name or a timeout that cannot be used.
    """

    def __init__(self, pool: Pool, table: str = "events", *, lock_timeout: float = _DEFAULT_LOCK_TIMEOUT) -> None:
        if not 0.001 <= lock_timeout <= 3600:
            raise ValueError(f"lock_timeout must be between 0.001 and 3600 seconds, not {lock_timeout!r}")
        self._pool = pool
        self._table = schema.TableName.parse(table)
        # The default is spelled as in the schema, where it costs nothing.
        self._lock_timeout = "5s" if lock_timeout == _DEFAULT_LOCK_TIMEOUT else f"{round(lock_timeout * 1000)}ms"
        self._append_one = statements.append_one(self._table)
        self._append_batch = statements.append_batch(self._table)
        self._server_defaults_to_read_committed = True

    def query(self, filter: Filter, *, limit: int | None = None, backwards: bool = False) -> EventStream:
        """See `EventStore.query`. One statement, so that events and position come from one snapshot."""
        check_limit(limit)
        statement, parameters = statements.query(self._table, filter, limit, backwards)
        with borrowed(self._pool) as connection, translated():
            rows = _fetch(connection, statement, parameters)
        head: int = rows[0][0]
        events = tuple(_sequenced(row) for row in rows if row[1] is not None)
        return EventStream(filter, events, head, reason_for_cut(filter, head, limit, backwards, len(events)))

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`. One round trip and one transaction, unless the condition is stale."""
        events = (first, *more)
        check_ids_differ(events)
        guard = condition
        for _ in range(_MOST_STALE_CHECKS):
            answer = self._call(events, guard)
            if answer.status in ("appended", "already stored"):
                return answer.sequence_numbers
            if answer.status == "event id reused":
                raise EventIdReused("an event id is stored already with other content, or only a part of the batch is")
            assert condition is not None  # without one there is no other answer
            assert guard is not None
            if answer.status == "position unknown":
                raise PositionUnknown(condition.after, answer.head)
            if answer.status == "conflict":
                raise _conflict(answer, condition)
            guard = self._caught_up(condition, guard.after, events)
        raise StoreUnavailable(
            f"others append so much that a guard could not catch up in {_MOST_STALE_CHECKS} attempts",
            outcome_unknown=False,
        )

    def create_schema(self) -> None:
        """Create table, functions, triggers and indexes, all or nothing; if they exist, check them.

        Raises:
            SchemaOutdated: they exist in another version.
            SchemaMissing: the PostgreSQL schema that the table name begins with does not exist.
        """
        with borrowed(self._pool) as connection, translated(), connection.transaction():
            lock = "SELECT pg_advisory_xact_lock(%s, %s)"  # two processes may start at the same moment
            connection.execute(lock, (schema.LOCK_NAMESPACE, self._table.lock_key))
            (exists,) = _fetch(connection, "SELECT to_regclass(%s) IS NOT NULL", [str(self._table)])[0]
            if not exists:
                connection.execute(schema.table_and_functions(self._table).encode())
                connection.execute(schema.secondary_indexes(self._table).encode())
        self.check_schema()

    def check_schema(self) -> None:
        """Make sure at start-up that this release can work with the schema in the database.

        Raises:
            SchemaMissing: there is none; run `create_schema()`.
            SchemaOutdated: it has another version, or its sequence was changed so that it breaks the order.
        """
        name = str(self._table)
        found = """
            SELECT to_regclass(%s) IS NOT NULL AND to_regprocedure(%s) IS NOT NULL,
                   (SELECT seqcache FROM pg_sequence WHERE seqrelid = to_regclass(%s))
        """
        with borrowed(self._pool) as connection, translated():
            ((exists, cache),) = _fetch(
                connection, found, [name, f"{name}_schema_version()", f"{name}_sequence_number"]
            )
            if not exists:
                raise SchemaMissing(f"there is no events table {name} in this database; create_schema() makes it")
            ((version,),) = _fetch(connection, statements.schema_version(self._table), [])
        if version != schema.SCHEMA_VERSION:
            raise SchemaOutdated(
                f"{name} has schema version {version}, this release of eventstore needs {schema.SCHEMA_VERSION}"
            )
        if cache != 1:
            raise SchemaOutdated(
                f"the sequence {name}_sequence_number has CACHE {cache}: each connection would draw numbers from a"
                f" stock of its own and break the order. ALTER SEQUENCE {name}_sequence_number CACHE 1"
            )

    def _call(self, events: tuple[StorableEvent, ...], condition: AppendCondition | None) -> _Answer:
        guard = None if condition is None else statements.guard(condition.filter)
        after = 0 if condition is None else condition.after
        if len(events) == 1:
            event = events[0]
            return self._execute(
                self._append_one,
                [
                    event.event_id,
                    event.event_type,
                    event.occurred_at,
                    event.payload.decode(),
                    event.metadata.decode(),
                    guard,
                    after,
                    self._lock_timeout,
                ],
            )
        return self._execute(
            self._append_batch,
            [
                [event.event_id for event in events],
                [event.event_type for event in events],
                [event.occurred_at for event in events],
                [event.payload.decode() for event in events],
                [event.metadata.decode() for event in events],
                guard,
                after,
                self._lock_timeout,
            ],
        )

    def _execute(self, statement: bytes, parameters: list[object]) -> _Answer:
        with borrowed(self._pool) as connection, translated():
            if self._server_defaults_to_read_committed:
                try:
                    return _Answer(*_fetch(connection, statement, parameters)[0])
                except psycopg.errors.ActiveSqlTransaction:
                    # The function refused before it did anything: the server's default is another isolation level.
                    self._server_defaults_to_read_committed = False
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                answer = _Answer(*_fetch(connection, statement, parameters)[0])
            except psycopg.Error:
                if not connection.closed:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return answer

    def _caught_up(self, condition: AppendCondition, after: int, events: tuple[StorableEvent, ...]) -> AppendCondition:
        """Ask the indexed query what a guard must not scan under the lock, and move the position on from `after`.

        Raises:
            ConcurrencyConflict: something matches.
        """
        items = Filter(items=condition.filter.items, any_event=condition.filter.any_event)
        newer = self.query(items.after_sequence_number(after), limit=1)
        for event in newer:
            if event.event_id in {own.event_id for own in events}:
                break  # our own, from an attempt whose outcome was unknown: the next append will say so
            item = items.matching_item(event.event_type, json_values.parse(event.payload))
            raise ConcurrencyConflict(
                ConflictingEvent(event.sequence_number, event.event_type, event.event_id),
                "any event" if item is None else str(item),
                condition.after,
                newer.position,
            )
        return AppendCondition(items, newer.position)


def _fetch(
    connection: Connection[Any], statement: LiteralString | bytes, parameters: list[object]
) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement, parameters, prepare=True, binary=True).fetchall()


def _sequenced(row: tuple[Any, ...]) -> SequencedEvent:
    _, number, event_id, event_type, occurred_at, payload, metadata = row
    moment: datetime = occurred_at
    return SequencedEvent(number, event_id, event_type, moment.replace(tzinfo=UTC), payload.encode(), metadata.encode())


def _conflict(answer: _Answer, condition: AppendCondition) -> ConcurrencyConflict:
    event = ConflictingEvent(answer.conflict_number, answer.conflict_type, answer.conflict_id)
    item = answer.conflict_item
    words = "any event" if item is None else str(condition.filter.items[item - 1])
    return ConcurrencyConflict(event, words, condition.after, answer.head)
