"""The write side of the engine: one call of the append function, and what its answers mean.

How the function itself works is told in eventstore/README.md and in schema/1_events.sql.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

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
from eventstore.postgres.append_calls import Answer, AppendCalls, Call, Request
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


class Appender:
    """Appends to one events table, in transactions of its own."""

    def __init__(self, pool: Pool, table: TableName, lock_timeout: float, on_append: OnAppend | None = None) -> None:
        if not 0.001 <= lock_timeout <= 3600:
            raise ValueError(f"lock_timeout must be between 0.001 and 3600 seconds, not {lock_timeout!r}")
        self._pool = pool
        self._table = table
        self._on_append = on_append
        # The default is spelled as in the schema, where it costs nothing.
        spelled = "5s" if lock_timeout == DEFAULT_LOCK_TIMEOUT else f"{round(lock_timeout * 1000)}ms"
        self._calls = AppendCalls(table, spelled)
        self._server_defaults_to_read_committed = True
        self._group_commit = GroupCommit(self._send, may_join)

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
            answer = self._call(Request(events, guard, time.perf_counter()), joined)
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

    def _call(self, request: Request, joined: Connection[Any] | None) -> Answer:
        if joined is None:
            return self._group_commit.send(request)
        call = self._calls.single(request)
        return call.answers(_execute_within(joined, call))[0]

    def _send(self, requests: Sequence[Request]) -> list[Answer]:
        """Carry out requests as one transaction."""
        if len(requests) == 1:
            call = self._calls.single(requests[0])
            return call.answers(self._execute(call))
        sent = time.perf_counter()
        call = self._calls.group(requests)
        # To the wait for the lock, which all of them share, comes that of each in the line.
        return [
            answer._replace(lock_waited=answer.lock_waited + round((sent - request.asked) * 1_000_000))
            for answer, request in zip(call.answers(self._execute(call)), requests, strict=True)
        ]

    def _execute(self, call: Call) -> list[tuple[Any, ...]]:
        with (
            borrowed(self._pool) as connection,
            translated(may_have_written=True),
            replication_awaited(connection),
        ):
            if self._server_defaults_to_read_committed:
                try:
                    return fetch(connection, call.statement, call.parameters)
                except psycopg.errors.ActiveSqlTransaction:
                    # The function refused before it did anything: the server's default is another isolation level.
                    self._server_defaults_to_read_committed = False
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                rows = fetch(connection, call.statement, call.parameters)
            except BaseException:  # also when the caller's patience ends with Ctrl-C
                if not connection.closed:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return rows

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


def may_join(leading: Request, request: Request) -> bool:
    """Batches go alone."""
    return len(leading.events) == len(request.events) == 1


def _execute_within(connection: Connection[Any], call: Call) -> list[tuple[Any, ...]]:
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
            return fetch(connection, call.statement, call.parameters)
        except psycopg.errors.ActiveSqlTransaction as refused:
            raise InvalidTransaction(str(refused.diag.message_primary)) from refused


def _conflict(answer: Answer, condition: AppendCondition) -> ConcurrencyConflict:
    event = ConflictingEvent(answer.conflict_number, answer.conflict_type, answer.conflict_id)
    item = answer.conflict_item
    words = "any event" if item is None else str(condition.filter.items[item - 1])
    return ConcurrencyConflict(event, words, condition.after, answer.head)
