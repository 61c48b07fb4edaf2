"""One function per guarantee. Each is called with the real store, and with stores that lack the mechanism."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventStore,
    FilterBuilder,
    InvalidEvent,
    P,
    StorableEvent,
)
from eventstore.postgres import PostgresEventStore
from eventstore.testing.race import free_race, race_for_prizes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()


def event(event_type: str = "Something", **payload: object) -> StorableEvent:
    return StorableEvent.build(event_type, NOW, payload=json.dumps(payload).encode())


def about(key: str, value: str) -> Any:
    return FilterBuilder().matching().any_predicate_of(P(key, value)).finalize()


def hand_written_insert(table: str) -> Composed:
    return SQL(
        "INSERT INTO {} (event_id, event_type, occurred_at, payload, metadata)"
        " VALUES (gen_random_uuid(), 'Other', now(), '{{}}', '{{}}')"
    ).format(Identifier(table))


def in_processes_of_their_own(store: EventStore) -> list[EventStore]:
    """As other processes have the store: what keeps the threads of one process apart does not reach them."""
    if not isinstance(store, PostgresEventStore):
        return []
    return [PostgresEventStore(store._pool, str(store._table)) for _ in range(3)]


def exactly_one_winner(store: EventStore) -> None:
    report = race_for_prizes(store, *in_processes_of_their_own(store), writers=8, rounds=40)
    assert report.is_clean, str(report)


def every_guard_holds_in_a_free_loop(store: EventStore) -> None:
    report = free_race(store, *in_processes_of_their_own(store), writers=8, rounds=40, prizes=4)
    assert report.is_clean, str(report)


def a_newer_matching_event_is_a_conflict(store: EventStore) -> None:
    condition = store.query(about("BookID", "b")).append_condition
    store.append(event("Noise", BookID="other"))
    [number] = store.append(event("Lent", BookID="b"))
    store.append(event("Noise", BookID="other"))
    with pytest.raises(ConcurrencyConflict) as conflict:
        store.append(event("Lent", BookID="b"), condition=condition)
    assert conflict.value.event.sequence_number == number


def nothing_appears_below_what_was_seen(store: EventStore, dsn: str, table: str) -> None:
    """A slow writer draws its number first and commits last; a quick one comes in between."""
    with psycopg.connect(dsn) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute(hand_written_insert(table))
        quick = pool.submit(store.append, event())
        wait_until_blocked_or_done(dsn, quick)
        seen = {stored.sequence_number for stored in store.query(EVERYTHING)}
        slow.commit()
        quick.result()
    later = {stored.sequence_number for stored in store.query(EVERYTHING)} - seen
    assert len(seen) + len(later) == 2
    assert not [number for number in later if number < max(seen, default=0)], f"{later} appeared below {seen}"


def a_hand_written_insert_waits_for_its_turn(store: EventStore, dsn: str, table: str) -> None:
    """The other way round: an append is not committed yet when somebody inserts by hand."""
    call = SQL("SELECT {}(gen_random_uuid(), 'First', now(), '{{}}', '{{}}', NULL, 0, '5s')")
    with psycopg.connect(dsn) as slow, ThreadPoolExecutor(1) as pool:
        slow.execute(call.format(Identifier(f"{table}_append_one")))
        quick = pool.submit(_run_alone, dsn, hand_written_insert(table))
        wait_until_blocked_or_done(dsn, quick)
        seen = {stored.sequence_number for stored in store.query(EVERYTHING)}
        slow.commit()
        quick.result()
    assert [stored.event_type for stored in store.query(EVERYTHING)] == ["First", "Other"]
    assert not seen, f"{seen} was visible while a lower number was not"


def a_batch_is_atomic_and_keeps_its_order(store: EventStore) -> None:
    batch = [event("Step", Index=index) for index in range(50)]
    numbers = store.append(batch[0], *batch[1:])
    assert numbers == sorted(numbers)
    assert [stored.event_id for stored in store.query(EVERYTHING)] == [one.event_id for one in batch]
    unstorable = StorableEvent(event().event_id, "Bad", NOW, b"[]", b"{}")  # past build(), so the database refuses it
    with pytest.raises(InvalidEvent):
        store.append(event("Good"), unstorable)
    assert len(store.query(EVERYTHING)) == 50


def appending_again_adds_nothing(store: EventStore) -> None:
    one, two, three = event(Index=1), event(Index=2), event(Index=3)
    condition = AppendCondition(about("Index", "none"), 0)
    first = store.append(one, condition=condition)
    both = store.append(two, three)
    assert store.append(one, condition=condition) == first
    assert store.append(two, three) == both
    assert store.append(three, two) == both[::-1]
    assert len(store.query(EVERYTHING)) == 3


def the_log_cannot_be_changed(store: EventStore, dsn: str, table: str) -> None:
    store.append(event())
    before = store.query(EVERYTHING)
    for change in ("UPDATE {} SET event_type = 'Forged'", "DELETE FROM {}", "TRUNCATE {}"):
        with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(SQL(change).format(Identifier(table)))
    assert store.query(EVERYTHING) == before


def nobody_chooses_a_number(store: EventStore, dsn: str, table: str) -> None:
    store.append(event())
    columns = "sequence_number, event_id, event_type, occurred_at, payload, metadata"
    chosen = SQL(f"INSERT INTO {{}} ({columns}) VALUES (1000, gen_random_uuid(), 'X', now(), '{{{{}}}}', '{{{{}}}}')")
    with psycopg.connect(dsn, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.GeneratedAlways):
            connection.execute(chosen.format(Identifier(table)))
        with (
            pytest.raises(psycopg.errors.GeneratedAlways),
            connection.cursor().copy(SQL(f"COPY {{}} ({columns}) FROM STDIN").format(Identifier(table))) as copy,
        ):
            copy.write_row([1000, event().event_id, "X", NOW, "{}", "{}"])
        with connection.cursor().copy(
            SQL("COPY {} (event_id, event_type, occurred_at, payload, metadata) FROM STDIN").format(Identifier(table))
        ) as copy:
            copy.write_row([event().event_id, "Copied", NOW, "{}", "{}"])
    assert [stored.event_type for stored in store.query(EVERYTHING)] == ["Something", "Copied"]


def wait_until_blocked_or_done(dsn: str, work: "Future[Any]") -> None:
    """Return as soon as the work has finished, or waits for an advisory lock."""
    blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    pause = threading.Event()
    with psycopg.connect(dsn, autocommit=True) as watcher:
        while not work.done():
            row = watcher.execute(blocked).fetchone()
            if row is not None and row[0]:
                return
            pause.wait(0.005)


@contextmanager
def lock_held(dsn: str, table: str) -> Iterator[None]:
    """Hold the append lock of a table in a session of its own."""
    with psycopg.connect(dsn) as holder:
        holder.execute(hand_written_insert(table))
        yield
        holder.rollback()


def _run_alone(dsn: str, statement: Composed) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement)
