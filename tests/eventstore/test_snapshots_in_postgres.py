"""Snapshots in PostgreSQL: savers that wait for each other, rows that are damaged or locked, and what is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import (
    InvalidSnapshot,
    SchemaMissing,
    Snapshot,
    SnapshotKey,
    StoreUnavailable,
    uuid7,
)
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from eventstore.postgres.pool import Pool
from eventstore.snapshots import LARGEST_STATE
from tests.eventstore.examples import EVERYTHING, event, having

HASH = having("K", 1).hash()
KEY = SnapshotKey("loans", 1, HASH)


def snapshot(number: int, state: bytes = b"state") -> Snapshot:
    return Snapshot(number, uuid7(), state)


@pytest.fixture
def beside_the_log(pool: Pool, store: PostgresEventStore, table: str) -> PostgresSnapshotStore:
    """The snapshots of an events table."""
    return PostgresSnapshotStore(pool, table)


def change(pool: Pool, table: str, statement: LiteralString, *parameters: object) -> None:
    with pool.connection() as connection:
        connection.execute(SQL(statement).format(Identifier(f"{table}_snapshots")), parameters)


def test_of_savers_that_wait_for_one_row_the_later_one_sees_what_the_earlier_one_saved(
    dsn: str, pool: Pool, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    """The row is locked; then 9 is to be saved, then 5; then the row is free."""
    patient = PostgresSnapshotStore(pool, table, lock_timeout=60)
    patient.save(KEY, snapshot(1))
    nine = snapshot(9)
    with ThreadPoolExecutor(2) as threads:
        with psycopg.connect(dsn) as holder:
            holder.execute(SQL("SELECT FROM {} FOR UPDATE").format(Identifier(f"{table}_snapshots")))
            first = threads.submit(patient.save, KEY, nine)
            wait_for_sessions_blocked_on_rows(dsn, table, 1)
            second = threads.submit(patient.save, KEY, snapshot(5))
            wait_for_sessions_blocked_on_rows(dsn, table, 2)
        assert first.result()
        assert not second.result()
    assert patient.load(KEY) == nine


def wait_for_sessions_blocked_on_rows(dsn: str, table: str, expected: int) -> None:
    """Return when so many sessions that save a snapshot of this table wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
    pause = threading.Event()
    with psycopg.connect(dsn, autocommit=True) as watcher:
        for _ in range(6_000):
            row = watcher.execute(waiting, [f'%INSERT INTO%"{table}_snapshots"%']).fetchone()
            if row is not None and row[0] == expected:
                return
            pause.wait(0.01)
    pytest.fail(f"there were never {expected} sessions that wait")


def test_nobody_waits_long_for_a_row_that_somebody_has_locked(
    dsn: str, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    kept = snapshot(1)
    beside_the_log.save(KEY, kept)
    with open_pool(f"{dsn} options='-c statement_timeout=60s'", max_size=1) as pool:
        hurried = PostgresSnapshotStore(pool, table, lock_timeout=0.05)
        with psycopg.connect(dsn) as holder:
            holder.execute(SQL("SELECT FROM {} FOR UPDATE").format(Identifier(f"{table}_snapshots")))
            for call in (lambda: hurried.save(KEY, snapshot(2)), lambda: hurried.delete(KEY)):
                with pytest.raises(StoreUnavailable, match="lock timeout") as late:
                    call()
                assert not late.value.outcome_unknown
            assert hurried.load(KEY) == kept
        assert hurried.save(KEY, snapshot(2))


def test_the_lock_timeout_does_not_outlive_the_call(
    dsn: str, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    with open_pool(f"{dsn} options='-c lock_timeout=7s'", max_size=1) as pool:
        snapshots = PostgresSnapshotStore(pool, table)
        snapshots.save(KEY, snapshot(1))
        snapshots.delete(KEY)
        with pool.connection() as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("7s",)


@pytest.mark.parametrize("lock_timeout", [0, -1, 0.0001, 4000])
def test_a_lock_timeout_that_is_none_is_refused(pool: Pool, lock_timeout: float) -> None:
    with pytest.raises(ValueError, match="lock_timeout"):
        PostgresSnapshotStore(pool, lock_timeout=lock_timeout)


DAMAGE: list[tuple[LiteralString, object]] = [
    ("UPDATE {} SET state = %s", b"stale"),
    ("UPDATE {} SET sequence_number = %s", 9_000_000),
    ("UPDATE {} SET event_id = %s", uuid7()),
    ("UPDATE {} SET checksum = %s", bytes(32)),
]


@pytest.mark.parametrize(("statement", "value"), DAMAGE, ids=["state", "number", "event", "checksum"])
def test_a_damaged_row_counts_as_missing_and_gives_way(
    pool: Pool, beside_the_log: PostgresSnapshotStore, table: str, statement: LiteralString, value: object
) -> None:
    beside_the_log.save(KEY, snapshot(7))
    change(pool, table, statement, value)
    assert beside_the_log.load(KEY) is None
    mended = snapshot(3, b"mended")
    assert beside_the_log.save(KEY, mended)
    assert beside_the_log.load(KEY) == mended


@pytest.mark.parametrize(
    ("statement", "found_under"),
    [
        ("UPDATE {} SET projection = 'loan'", SnapshotKey("loan", 1, HASH)),
        ("UPDATE {} SET version = 2", SnapshotKey("loans", 2, HASH)),
        ("UPDATE {} SET filter_hash = repeat('0', 64)", SnapshotKey("loans", 1, "0" * 64)),
    ],
)
def test_a_row_that_was_moved_to_another_key_is_not_its_snapshot(
    pool: Pool, beside_the_log: PostgresSnapshotStore, table: str, statement: LiteralString, found_under: SnapshotKey
) -> None:
    beside_the_log.save(KEY, snapshot(7))
    change(pool, table, statement)
    assert beside_the_log.load(found_under) is None


def test_two_stores_in_one_database_keep_their_snapshots_apart(
    pool: Pool, beside_the_log: PostgresSnapshotStore
) -> None:
    other = f"other_{uuid7().hex[-12:]}"
    PostgresEventStore(pool, other).create_schema()
    beside_the_log.save(KEY, snapshot(7))
    assert PostgresSnapshotStore(pool, other).load(KEY) is None


def test_all_processes_share_the_snapshots_of_a_table(
    dsn: str, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    kept = snapshot(7)
    beside_the_log.save(KEY, kept)
    with open_pool(dsn, max_size=1) as pool:
        assert PostgresSnapshotStore(pool, f"public.{table}").load(KEY) == kept


def test_when_it_was_saved_is_told_to_who_clears_away(
    pool: Pool, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    def saved_at() -> datetime:
        with pool.connection() as connection:
            row = connection.execute(SQL("SELECT saved_at FROM {}").format(Identifier(f"{table}_snapshots"))).fetchone()
        assert row is not None
        moment: datetime = row[0]
        return moment

    beside_the_log.save(KEY, snapshot(1))
    first = saved_at()
    beside_the_log.save(KEY, snapshot(2))
    assert saved_at() > first


def test_without_the_table_every_call_says_that_the_schema_is_missing(pool: Pool, table: str) -> None:
    snapshots = PostgresSnapshotStore(pool, table)
    for call in (lambda: snapshots.save(KEY, snapshot(1)), lambda: snapshots.load(KEY), lambda: snapshots.delete(KEY)):
        with pytest.raises(SchemaMissing):
            call()


def test_a_server_that_is_down_is_said_in_words_of_the_package(dsn: str) -> None:
    with open_pool(dsn, max_size=1) as pool:
        snapshots = PostgresSnapshotStore(pool)
    for call in (lambda: snapshots.save(KEY, snapshot(1)), lambda: snapshots.load(KEY), lambda: snapshots.delete(KEY)):
        with pytest.raises(StoreUnavailable):
            call()


def test_the_database_refuses_what_the_package_would_refuse(
    pool: Pool, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    beside_the_log.save(KEY, snapshot(7))
    for value in ("projection = ''", "version = 0", "filter_hash = 'x'", "sequence_number = 0"):
        with pytest.raises(psycopg.errors.CheckViolation):
            change(pool, table, "UPDATE {} SET " + value)


def test_a_state_has_a_greatest_size_which_the_database_knows_too(
    pool: Pool, beside_the_log: PostgresSnapshotStore, table: str
) -> None:
    with pytest.raises(InvalidSnapshot, match=str(LARGEST_STATE + 1)):
        Snapshot(1, uuid7(), bytes(LARGEST_STATE + 1))
    assert len(Snapshot(1, uuid7(), bytes(LARGEST_STATE)).state) == LARGEST_STATE
    with pool.connection() as connection:
        checks = connection.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(%s)",
            [f"{table}_snapshots"],
        ).fetchall()
    assert (f"CHECK ((octet_length(state) <= {LARGEST_STATE}))",) in checks


def test_clearing_the_table_only_costs_a_replay(pool: Pool, store: PostgresEventStore, table: str) -> None:
    snapshots = PostgresSnapshotStore(pool, table)
    store.append(event("A"))
    snapshots.save(KEY, snapshot(1))
    change(pool, table, "TRUNCATE {}")
    assert snapshots.load(KEY) is None
    assert store.query(EVERYTHING).position == 1
