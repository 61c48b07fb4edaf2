"""The write side of the engine: one call of the append function, and what its answers mean.

How the function itself works is told in eventstore/README.md and in schema/1_events.sql.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from eventstore import json_values
from eventstore.errors import (
    ConcurrencyConflict,
    ConflictingEvent,
    EventIdReused,
    InvalidTransaction,
    PositionUnknown,
    StoreUnavailable,
)
from eventstore.events import StorableEvent
from eventstore.filters import Filter
from eventstore.postgres import statements
from eventstore.postgres.group_commit import GroupCommit
from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.reading import stream_of
from eventstore.postgres.replication import replication_awaited
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from eventstore.store import AppendCondition, EventStream, check_ids_differ

DEFAULT_LOCK_TIMEOUT: Final = 5.0
_MOST_STALE_CHECKS: Final = 10


@dataclass(frozen=True, slots=True)
class AppendTimes:
    """What only the server knows about one call of the append function, for whoever measures.

    Attributes:
        status: what was answered, such as "appended" or "conflict"; the schema lists them all.
        lock_waited: seconds that the call waited for its turn: for other appends of this process, and for the append
            lock. The rest of its time went into the way there and back, the guard, the insert, and the commit.
    """

    status: str
    lock_waited: float


OnAppend = Callable[[AppendTimes], None]


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


class _Request(NamedTuple):
    """What one call of `append` asks for, and when, in seconds of `time.perf_counter`."""

    events: tuple[StorableEvent, ...]
    condition: AppendCondition | None
    asked: float


class Appender:
    """Appends to one events table, in transactions of its own."""

    def __init__(self, pool: Pool, table: TableName, lock_timeout: float, on_append: OnAppend | None = None) -> None:
        if not 0.001 <= lock_timeout <= 3600:
            raise ValueError(f"lock_timeout must be between 0.001 and 3600 seconds, not {lock_timeout!r}")
        self._pool = pool
        self._table = table
        self._on_append = on_append
        # The default is spelled as in the schema, where it costs nothing.
        self._lock_timeout = "5s" if lock_timeout == DEFAULT_LOCK_TIMEOUT else f"{round(lock_timeout * 1000)}ms"
        self._append_one = statements.append_one(table)
        self._append_group = statements.append_group(table)
        self._append_batch = statements.append_batch(table)
        self._server_defaults_to_read_committed = True
        self._group_commit = GroupCommit(self._send, _may_join)

    def append(
        self,
        events: tuple[StorableEvent, ...],
        condition: AppendCondition | None,
        joined: Connection[Any] | None,
    ) -> list[int]:
        """Append in one round trip, unless the condition is stale; in the transaction of `joined` if there is one."""
        check_ids_differ(events)
        guard = condition
        for _ in range(_MOST_STALE_CHECKS):
            answer = self._call(_Request(events, guard, time.perf_counter()), joined)
            if self._on_append is not None:
                self._on_append(AppendTimes(answer.status, answer.lock_waited / 1_000_000))
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
            guard = self._caught_up(condition, guard.after, events, joined)
        raise StoreUnavailable(
            f"others append so much that a guard could not catch up in {_MOST_STALE_CHECKS} attempts",
            outcome_unknown=False,
        )

    def _call(self, request: _Request, joined: Connection[Any] | None) -> _Answer:
        if joined is not None:
            return _Answer(*_execute_within(joined, *self._single(request))[0])
        return self._group_commit.send(request)

    def _send(self, requests: Sequence[_Request]) -> list[_Answer]:
        """Send requests as one transaction."""
        if len(requests) == 1:
            return [_Answer(*row) for row in self._execute(*self._single(requests[0]))]
        sent = time.perf_counter()
        columns = map(list, zip(*map(_row, requests), strict=True))
        answers = [_Answer(*row) for row in self._execute(self._append_group, [*columns, self._lock_timeout])]
        # Only the first of them met the lock of the database; before that each waited in the line.
        waits = [answers[0].lock_waited + round((sent - request.asked) * 1_000_000) for request in requests]
        return [answer._replace(lock_waited=wait) for answer, wait in zip(answers, waits, strict=True)]

    def _single(self, request: _Request) -> tuple[bytes, list[object]]:
        if len(request.events) == 1:
            return self._append_one, [*_row(request), self._lock_timeout]
        events = request.events
        columns = [
            [event.event_id for event in events],
            [event.event_type for event in events],
            [event.occurred_at for event in events],
            [event.payload.decode() for event in events],
            [event.metadata.decode() for event in events],
        ]
        return self._append_batch, [*columns, *_guard(request), self._lock_timeout]

    def _execute(self, statement: bytes, parameters: list[object]) -> list[tuple[Any, ...]]:
        with (
            borrowed(self._pool) as connection,
            translated(may_have_written=True),
            replication_awaited(connection),
        ):
            if self._server_defaults_to_read_committed:
                try:
                    return fetch(connection, statement, parameters)
                except psycopg.errors.ActiveSqlTransaction:
                    # The function refused before it did anything: the server's default is another isolation level.
                    self._server_defaults_to_read_committed = False
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                answers = fetch(connection, statement, parameters)
            except BaseException:  # also when the caller's patience ends with Ctrl-C
                if not connection.closed:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return answers

    def _caught_up(
        self,
        condition: AppendCondition,
        after: int,
        events: tuple[StorableEvent, ...],
        joined: Connection[Any] | None,
    ) -> AppendCondition:
        """Ask the indexed query what a guard must not scan under the lock, and move the position on from `after`.

        Raises:
            ConcurrencyConflict: something matches.
        """
        items = Filter(items=condition.filter.items, any_event=condition.filter.any_event)
        newer = self._first_match(items.after_sequence_number(after), joined)
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

    def _first_match(self, filter: Filter, joined: Connection[Any] | None) -> EventStream:
        statement, parameters = statements.query(self._table, filter, limit=1, backwards=False)
        with translated(may_have_written=False):
            if joined is not None:  # whose transaction may have appended what nobody else sees yet
                return stream_of(fetch(joined, statement, parameters), filter, limit=1, backwards=False)
            with borrowed(self._pool) as connection:
                return stream_of(fetch(connection, statement, parameters), filter, limit=1, backwards=False)


def _may_join(group: Sequence[_Request], request: _Request) -> bool:
    return len(group[0].events) == len(request.events) == 1


def _row(request: _Request) -> tuple[object, ...]:
    [event] = request.events
    return (
        event.event_id,
        event.event_type,
        event.occurred_at,
        event.payload.decode(),
        event.metadata.decode(),
        *_guard(request),
    )


def _guard(request: _Request) -> tuple[str | None, int]:
    condition = request.condition
    return (None, 0) if condition is None else (statements.guard(condition.filter), condition.after)


def _execute_within(connection: Connection[Any], statement: bytes, parameters: list[object]) -> list[tuple[Any, ...]]:
    """Append in the caller's transaction, which alone decides whether and when the events are committed."""
    if connection.closed:
        raise InvalidTransaction("the connection is closed")
    status = connection.info.transaction_status
    if connection.autocommit and status == TransactionStatus.IDLE:
        raise InvalidTransaction("the connection is in autocommit mode and no transaction is open")
    if status == TransactionStatus.INERROR:
        raise InvalidTransaction("the transaction has failed already and can only be rolled back")
    # Whatever is lost here is lost before the caller's COMMIT.
    with translated(may_have_written=False):
        try:
            return fetch(connection, statement, parameters)
        except psycopg.errors.ActiveSqlTransaction as refused:
            raise InvalidTransaction(str(refused.diag.message_primary)) from refused


def _conflict(answer: _Answer, condition: AppendCondition) -> ConcurrencyConflict:
    event = ConflictingEvent(answer.conflict_number, answer.conflict_type, answer.conflict_id)
    item = answer.conflict_item
    words = "any event" if item is None else str(condition.filter.items[item - 1])
    return ConcurrencyConflict(event, words, condition.after, answer.head)
