"""Each guarantee of eventstore/README.md holds, and falls when its mechanism is taken out of the schema."""

import os
import re
import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from eventstore import AppendCondition, EventStore, EventStoreError, StorableEvent
from eventstore.postgres import PostgresEventStore, open_pool, schema
from eventstore.postgres.embedded import throwaway_server
from eventstore.postgres.pool import Pool, borrowed
from tests.eventstore import guarantee_checks as checks

TakeOut = tuple[str, str]
"""A regular expression for the mechanism in the schema, and what stands there instead."""

APPEND_LOCK = (r"PERFORM pg_advisory_xact_lock\([^)]*\);", "NULL;")
LOCK_OF_THE_TRIGGER = (r"(events_before_insert.*?)PERFORM pg_advisory_xact_lock\([^)]*\);", r"\1NULL;")
GUARD = (r"IF p_filter IS NOT NULL AND", "IF false AND")
ISOLATION_CHECK = (r"IF current_setting\('transaction_isolation'\) <>", "IF 'read committed' <>")
EVENT_IDS = (r"IF (FOUND|stored.sequence_numbers IS NOT NULL) THEN", "IF false THEN")
BATCH_ORDER = (r"ORDER BY given.position\n        RETURNING", "ORDER BY given.position DESC\n        RETURNING")
APPEND_ONLY = (r"CREATE TRIGGER events_refuse_change [^;]*;", "")
DRAWN_NUMBER = (
    r"(events_draw_sequence_number.*?)IF NEW.sequence_number IS NOT NULL THEN.*?END IF;\n.*?:= nextval\((.*?)\);",
    r"\1NEW.sequence_number := coalesce(NEW.sequence_number, nextval(\2));",
)


def store_without(pool: Pool, mechanism: TakeOut) -> tuple[PostgresEventStore, str]:
    """A store whose schema lacks one mechanism."""
    table = f"broken_{uuid.uuid4().hex[:12]}"
    pattern, replacement = mechanism
    script = schema.table_and_functions(schema.TableName.parse("events"))
    broken, count = re.subn(pattern, replacement, script, flags=re.DOTALL)
    assert count, "the mechanism is not in the schema: correct the expression"
    with borrowed(pool) as connection:
        broken = re.sub(r"\bpublic\.events(?=\b|_)", f"public.{table}", broken)
        broken = re.sub(r"(?<!\.)\bevents_(?=\w)", f"{table}_", broken)
        connection.execute(broken.encode())
        connection.execute(schema.secondary_indexes(schema.TableName.parse(table)).encode())
    return PostgresEventStore(pool, table), table


class OneByOne(PostgresEventStore):
    """An engine that splits batches."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        return [super(OneByOne, self).append(event)[0] for event in (first, *more)]


Check = Callable[[PostgresEventStore], None]


@dataclass(frozen=True)
class Guarantee:
    """A promise, how it is checked, and the mechanism without which the check must fail."""

    name: str
    check: Callable[[EventStore], None] | None = None
    check_by_sql: Callable[[EventStore, str, str], None] | None = None
    mechanism: TakeOut = ("", "")

    def run(self, store: EventStore, dsn: str, table: str) -> None:
        if self.check is not None:
            self.check(store)
        if self.check_by_sql is not None:
            self.check_by_sql(store, dsn, table)


GUARANTEES = [
    Guarantee("G1 one winner, by the lock", checks.exactly_one_winner, mechanism=APPEND_LOCK),
    Guarantee("G1 no lost guard, by the lock", checks.every_guard_holds_in_a_free_loop, mechanism=APPEND_LOCK),
    Guarantee("G1 one winner, by the guard", checks.a_newer_matching_event_is_a_conflict, mechanism=GUARD),
    Guarantee("G2 order, by the lock", None, checks.nothing_appears_below_what_was_seen, APPEND_LOCK),
    Guarantee("G3 batch, by its order", checks.a_batch_is_atomic_and_keeps_its_order, mechanism=BATCH_ORDER),
    Guarantee("G5 exactly once, by event ids", checks.appending_again_adds_nothing, mechanism=EVENT_IDS),
    Guarantee("G6 append-only, by the trigger", None, checks.the_log_cannot_be_changed, APPEND_ONLY),
    Guarantee(
        "G7 order of foreign inserts, by the trigger's lock",
        None,
        checks.a_hand_written_insert_waits_for_its_turn,
        LOCK_OF_THE_TRIGGER,
    ),
    Guarantee("G7 order of foreign inserts, by the drawn number", None, checks.nobody_chooses_a_number, DRAWN_NUMBER),
]
each_guarantee = pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda guarantee: guarantee.name)
RED = (AssertionError, pytest.fail.Exception, psycopg.Error, EventStoreError)


@each_guarantee
def test_a_guarantee_holds(guarantee: Guarantee, store: PostgresEventStore, dsn: str, table: str) -> None:
    guarantee.run(store, dsn, table)


@each_guarantee
def test_a_guarantee_falls_with_its_mechanism(guarantee: Guarantee, pool: Pool, dsn: str) -> None:
    store, table = store_without(pool, guarantee.mechanism)
    with pytest.raises(RED):
        guarantee.run(store, dsn, table)


def test_a_batch_that_is_split_is_not_atomic(pool: Pool, store: PostgresEventStore, table: str) -> None:
    with pytest.raises(AssertionError):
        checks.a_batch_is_atomic_and_keeps_its_order(OneByOne(pool, table))


def repeatable_read(dsn: str) -> str:
    return f"{dsn} options='-c default_transaction_isolation=repeatable\\\\ read'"


def test_one_winner_whatever_the_isolation_level_of_the_pool(dsn: str, store: PostgresEventStore, table: str) -> None:
    with open_pool(repeatable_read(dsn), max_size=8) as pool:
        checks.exactly_one_winner(PostgresEventStore(pool, table))


def test_several_winners_at_repeatable_read_without_the_isolation_check(dsn: str) -> None:
    with open_pool(repeatable_read(dsn), max_size=8) as pool:
        store, _ = store_without(pool, ISOLATION_CHECK)
        with pytest.raises(AssertionError):
            checks.exactly_one_winner(store)


@pytest.mark.parametrize("setting", ["as the server has it", "weakened"])
def test_an_acknowledged_append_survives_a_crash(setting: str) -> None:
    """G4. The WAL writer is stopped, so that only a commit that flushes its own WAL survives."""
    with throwaway_server() as server:
        with open_pool(server.dsn) as pool:
            PostgresEventStore(pool).create_schema()
        weakening = " options='-c synchronous_commit=off'" if setting == "weakened" else ""
        with open_pool(server.dsn + weakening, max_size=1) as pool:
            store = PostgresEventStore(pool)
            with borrowed(pool) as connection:
                row = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'").fetchone()
            assert row is not None
            os.kill(row[0], signal.SIGSTOP)
            store.append(checks.event())
            os.kill(row[0], signal.SIGKILL)
            server.kill()
        server.restart()
        with open_pool(server.dsn) as pool:
            survived = len(PostgresEventStore(pool).query(checks.EVERYTHING))
    assert survived == (1 if setting == "as the server has it" else 0)


@pytest.mark.parametrize("functions", ["as they are", "allowed to scan"])
def test_the_guard_reads_no_more_of_a_large_store_than_of_a_small_one(
    dsn: str, pool: Pool, store: PostgresEventStore, table: str, functions: str
) -> None:
    """G8. A session's plans are cached while the store is empty; 100,000 events later they still must not scan.

    The session has PostgreSQL's default settings: the guard does not rely on those of `open_pool`.
    """
    with borrowed(pool) as connection:
        connection.execute(SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(Identifier(table)))
        if functions == "allowed to scan":
            for function in ("append_one", "append_batch", "guard"):
                reset = SQL("ALTER FUNCTION {} RESET enable_seqscan")
                connection.execute(reset.format(Identifier(f"{table}_{function}")))
        connection.execute(SQL("ANALYZE {}").format(Identifier(table)))  # the planner knows how small it is
    with ConnectionPool[psycopg.Connection[Any]](dsn, min_size=1, max_size=1, open=True) as plain:
        writer = PostgresEventStore(plain, table)
        for _ in range(12):
            _append_past_irrelevant_events(writer)
        with psycopg.connect(dsn) as loader:
            copy_events(loader, table, 100_000)
        before = rows_read(plain, table)
        for _ in range(3):
            _append_past_irrelevant_events(writer)
        read = rows_read(plain, table) - before
    # An append reads a handful of rows: the head, the event ids, what lies between position and head.
    assert (read < 200) == (functions == "as they are"), f"{read} rows were read"


def test_a_query_prepared_on_an_empty_store_does_not_scan_a_large_one(dsn: str, table: str) -> None:
    with open_pool(dsn, max_size=1) as pool:
        store = PostgresEventStore(pool, table)
        store.create_schema()
        with borrowed(pool) as connection:
            connection.execute(SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(Identifier(table)))
            connection.execute(SQL("ANALYZE {}").format(Identifier(table)))  # the planner knows how small it is
        for _ in range(12):
            store.query(checks.about("BookID", "nobody has it"))
        with psycopg.connect(dsn) as loader:
            copy_events(loader, table, 100_000)
        before = rows_read(pool, table)
        assert len(store.query(checks.about("BookID", "nobody has it"))) == 0
        assert rows_read(pool, table) - before < 10


def _append_past_irrelevant_events(store: PostgresEventStore) -> None:
    """One event and a batch, each with something newer between the position read up to and the head."""
    irrelevant = checks.about("BookID", "nobody has it")
    [head] = store.append(checks.event("Noise", BookID="other"))
    store.append(checks.event("Lent", BookID="mine"), condition=AppendCondition(irrelevant, head - 1))
    first, second = checks.event("Lent", BookID="mine"), checks.event("Lent", BookID="mine")
    store.append(first, second, condition=AppendCondition(irrelevant, head - 1))


def copy_events(connection: psycopg.Connection[tuple[object, ...]], table: str, number: int) -> None:
    """Bulk-load so many events, all of one dynamic stream."""
    statement = SQL("COPY {} (event_id, event_type, occurred_at, payload, metadata) FROM STDIN")
    with connection.cursor().copy(statement.format(Identifier(table))) as copy:
        for _ in range(number):
            copy.write_row([uuid.uuid4(), "Lent", checks.NOW, '{"BookID": "mine"}', "{}"])


def rows_read(pool: Pool, table: str) -> int:
    """Rows of the table read so far, by sequential scans and through indexes, by this pool's one session too."""
    read = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = %s"
    with borrowed(pool) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT 1")
        row = connection.execute(read, [table]).fetchone()
    assert row is not None
    return int(row[0])
