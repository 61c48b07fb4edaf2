"""A live model that counts: whatever is lost or done twice shows."""

from collections.abc import Callable, Sequence
from typing import Any, Final, LiteralString

import psycopg

from eventstore import EventStore, FilterBuilder, StorableEvent
from eventstore.postgres.schema import TableName
from slices.domain_event import DomainEvent
from slices.lending.events import BookCopyAddedToCirculation, BookCopyLentToReader, BookCopyReturnedByReader
from slices.live import statements
from slices.live.answering import LiveAnswers, LiveStatus
from slices.live.connection import Purpose, lock_keys
from slices.live.model import LiveModel, Rows
from slices.testing import encoded
from tests.eventstore.examples import NOON
from tests.eventstore.faults import ask, wait_until
from tests.eventstore.subscriptions.following import eventually

Apply = Callable[[Rows, Sequence[Any]], None]

BOUNDARY: Final = (
    FilterBuilder()
    .matching()
    .any_event_type_of(BookCopyAddedToCirculation.TYPE, BookCopyLentToReader.TYPE, BookCopyReturnedByReader.TYPE)
    .finalize()
)

_TABLE: LiteralString = "CREATE TABLE {rows} (event_type text PRIMARY KEY, counted bigint NOT NULL)"
_INDEXES: LiteralString = "CREATE INDEX ON {rows} (counted)"
_COUNT: LiteralString = """
INSERT INTO {rows} AS known (event_type, counted) VALUES (%(event_type)s, %(counted)s)
ON CONFLICT (event_type) DO UPDATE SET counted = known.counted + EXCLUDED.counted
"""
_COUNTED: LiteralString = "SELECT event_type, counted FROM {rows}"


def count(rows: Rows, events: Sequence[DomainEvent]) -> None:
    for event_type in {event.TYPE for event in events}:
        counted = sum(event_type == event.TYPE for event in events)
        rows.run(_COUNT, {"event_type": event_type, "counted": counted})


def double(rows: Rows, events: Sequence[DomainEvent]) -> None:
    """Another version of the model: it counts everything twice."""
    count(rows, [*events, *events])


def counting(apply: Apply = count, *, version: int = 1, name: str = "counting") -> LiveModel[Any]:
    """The model, perhaps with something that happens in the middle of a transaction."""
    return LiveModel(name, version, BOUNDARY, _TABLE, _INDEXES, apply)


MODEL: Final = counting()


def counted(live: LiveAnswers, model: LiveModel[Any] = MODEL) -> dict[str, int]:
    return live.ask(model, lambda rows: dict(rows.run(_COUNTED))).view


def in_log(store: EventStore, up_to: int) -> dict[str, int]:
    """What should be counted when the model has come to a position."""
    found = [event.event_type for event in store.query(BOUNDARY.as_of(up_to))]
    return {event_type: found.count(event_type) for event_type in set(found)}


def lent() -> StorableEvent:
    return encoded(BookCopyLentToReader("a copy", "a reader", occurred_at=NOON))


def unreadable() -> StorableEvent:
    """An event of a known type that somebody has written by hand."""
    return StorableEvent.build(BookCopyLentToReader.TYPE, NOON, payload=b'{"BookID": 7}')


def other() -> StorableEvent:
    """An event that no boundary of the library asks for."""
    return StorableEvent.build("SomethingElse", NOON, payload=b"{}")


def append(store: EventStore, *events: StorableEvent) -> int:
    """Append, and return the position of the last one."""
    first, *more = events
    return store.append(first, *more)[-1]


def reached(live: LiveAnswers, position: int, model: LiveModel[Any] = MODEL) -> LiveStatus:
    """Wait until the model has come to a position."""
    eventually(lambda: live.status(model).position >= position, f"the model reaches {position}")
    return live.status(model)


def is_right(live: LiveAnswers, store: EventStore, model: LiveModel[Any] = MODEL) -> None:
    """Each event up to the position was counted once, and the position is the head."""
    status = reached(live, store.query(BOUNDARY, limit=1).position, model)
    assert counted(live, model) == in_log(store, status.position)


def runners(dsn: str, table: str, purpose: Purpose = "run") -> list[int]:
    """The sessions that hold the lock of the runner."""
    keys = lock_keys(TableName.parse(table), MODEL.name, purpose)
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = %(namespace)s"
            " AND objid = (%(key)s::bigint & 4294967295)::oid AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            keys,
        ).fetchall()
    return [pid for (pid,) in rows]


def own_sessions(dsn: str, table: str) -> list[int]:
    """All sessions of runners and candidates."""
    with psycopg.connect(dsn) as connection:
        name = f"live {MODEL.name} of public.{table}"
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [name]).fetchall()
    return [pid for (pid,) in rows]


def end(dsn: str, pid: int) -> None:
    """End a session, and return when it is gone."""
    ask(dsn, "SELECT pg_terminate_backend(%s)", pid)
    wait_until(dsn, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", pid)


def tables(dsn: str, table: str, model: str = MODEL.name) -> list[str]:
    """The tables of rows that exist."""
    with psycopg.connect(dsn) as connection:
        like = statements.rows_table(TableName.parse(table), model, 1)[:-1].replace("_", r"\_") + "%"
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY 1", [like]
        ).fetchall()
    return [name for (name,) in rows]
