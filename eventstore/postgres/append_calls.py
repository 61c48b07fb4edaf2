"""Calls of the append functions: what is sent for a request, and what an answer says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Identifier

from eventstore.events import StorableEvent
from eventstore.postgres.schema import TableName
from eventstore.postgres.statements import guard
from eventstore.store import AppendCondition

# Of one event the one number, without the array around it: the driver takes longer to read an array than all the rest.
_ANSWER: LiteralString = """
SELECT a.status, a.sequence_numbers[1], a.head,
       a.conflict_number, a.conflict_type, a.conflict_id, a.conflict_item, a.lock_waited
"""
_ONE: LiteralString = _ANSWER + "FROM {function}(%s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb, %s, %s) a"
_GROUP: LiteralString = (
    _ANSWER
    + """
FROM {function}(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s) a
"""
)
_BATCH: LiteralString = """
SELECT * FROM {function}(%s::uuid[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::jsonb[], %s::jsonb, %s, %s)
"""


class Request(NamedTuple):
    """What one call of `append` asks for, and when, in seconds of `time.perf_counter`."""

    events: tuple[StorableEvent, ...]
    condition: AppendCondition | None
    asked: float


class Answer(NamedTuple):
    """One row of the append functions; the fields are explained in the schema."""

    status: str
    sequence_numbers: list[int]
    head: int
    conflict_number: int
    conflict_type: str
    conflict_id: UUID
    conflict_item: int | None
    lock_waited: int


@dataclass(frozen=True, slots=True)
class Call:
    """One statement: one transaction, unless it joins another."""

    statement: bytes
    parameters: list[object]
    is_of_batch: bool = False

    def answers(self, rows: Iterable[Sequence[Any]]) -> list[Answer]:
        """What the rows say, one for each request."""
        if self.is_of_batch:
            return [Answer(*row) for row in rows]
        return [Answer(status, [number], *rest) for status, number, *rest in rows]


class AppendCalls:
    """The calls for one events table.

    Args:
        table: the events table.
        lock_timeout: as PostgreSQL spells it.
    """

    def __init__(self, table: TableName, lock_timeout: str) -> None:
        self._lock_timeout = lock_timeout
        self._one = _for_table(_ONE, table, "_append_one")
        self._group = _for_table(_GROUP, table, "_append_group")
        self._batch = _for_table(_BATCH, table, "_append_batch")

    def single(self, request: Request) -> Call:
        """For one request."""
        event, *more = request.events
        if more:
            return self._of_batch(request)
        parameters: list[object] = [
            event.event_id,
            event.event_type,
            event.occurred_at,
            event.payload.decode(),
            event.metadata.decode(),
            *_condition(request),
            self._lock_timeout,
        ]
        return Call(self._one, parameters)

    def group(self, requests: Sequence[Request]) -> Call:
        """For several requests of one event each, as one transaction."""
        conditions = [_condition(request) for request in requests]
        parameters: list[object] = [
            *_arrays([request.events[0] for request in requests]),
            array(filter for filter, _ in conditions),
            array(str(after) for _, after in conditions),
            self._lock_timeout,
        ]
        return Call(self._group, parameters)

    def _of_batch(self, request: Request) -> Call:
        parameters: list[object] = [*_arrays(request.events), *_condition(request), self._lock_timeout]
        return Call(self._batch, parameters, is_of_batch=True)


def _arrays(events: Sequence[StorableEvent]) -> Iterable[str]:
    """The columns of several events."""
    yield array(event.event_id.hex for event in events)
    yield array(event.event_type for event in events)
    yield array(event.occurred_at.isoformat() for event in events)
    yield array(event.payload.decode() for event in events)
    yield array(event.metadata.decode() for event in events)


def array(elements: Iterable[str | None]) -> str:
    """An array as PostgreSQL reads it from text: the driver takes several times as long to write one down.

    >>> array(["a", None, 'say "hi"'])
    '{"a",NULL,"say \\\\"hi\\\\""}'
    """
    return "{" + ",".join("NULL" if element is None else _quoted(element) for element in elements) + "}"


def _quoted(element: str) -> str:
    escaped = element.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _condition(request: Request) -> tuple[str | None, int]:
    condition = request.condition
    return (None, 0) if condition is None else (guard(condition.filter), condition.after)


def _for_table(text: LiteralString, table: TableName, function: str) -> bytes:
    return SQL(text).format(function=Identifier(table.schema, table.table + function)).as_bytes()
