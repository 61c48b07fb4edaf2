"""Appending inside the caller's own transaction: the event and the caller's rows commit together, or neither does."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventIdReused,
    InvalidEvent,
    InvalidTransaction,
    PositionUnknown,
    SchemaMissing,
    StorableEvent,
    StoreUnavailable,
)
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING, NOON, event, of_types, types_in_order
from tests.eventstore.guarantee_checks import wait_until_blocked_or_done


@pytest.fixture
def shelf(dsn: str, table: str) -> Generator[Identifier]:
    """A table of the caller's own."""
    name = Identifier(f"{table}_shelf")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE TABLE {} (book text)").format(name))
        yield name
        connection.execute(SQL("DROP TABLE {}").format(name))


@pytest.fixture
def caller(dsn: str) -> Generator[Connection[Any]]:
    with psycopg.connect(dsn) as connection:
        yield connection
        connection.rollback()


def put(connection: Connection[Any], shelf: Identifier, book: str) -> None:
    connection.execute(SQL("INSERT INTO {} VALUES (%s)").format(shelf), [book])


def books(pool: Pool, shelf: Identifier) -> list[str]:
    with pool.connection() as connection:
        return [book for (book,) in connection.execute(SQL("SELECT book FROM {} ORDER BY 1").format(shelf))]


@pytest.mark.parametrize("size", [1, 3])
def test_the_events_and_the_callers_rows_commit_together(
    pool: Pool, store: PostgresEventStore, caller: Connection[Any], shelf: Identifier, size: int
) -> None:
    numbers = store.append(event("Lent"), *[event("Lent") for _ in range(size - 1)], connection=caller)
    put(caller, shelf, "Dune")
    assert numbers == list(range(1, size + 1))
    assert (len(store.query(EVERYTHING)), books(pool, shelf)) == (0, [])
    caller.commit()
    assert (len(store.query(EVERYTHING)), books(pool, shelf)) == (size, ["Dune"])


def test_the_events_and_the_callers_rows_are_rolled_back_together(
    pool: Pool, store: PostgresEventStore, caller: Connection[Any], shelf: Identifier
) -> None:
    put(caller, shelf, "Dune")
    store.append(event("Lent"), connection=caller)
    caller.rollback()
    assert (len(store.query(EVERYTHING)), books(pool, shelf)) == (0, [])
    assert types_in_order(store) == []


def test_a_conflict_leaves_the_transaction_usable(
    pool: Pool, store: PostgresEventStore, caller: Connection[Any], shelf: Identifier
) -> None:
    put(caller, shelf, "Dune")
    store.append(event("Lent"))
    with pytest.raises(ConcurrencyConflict):
        store.append(event("Lent"), condition=AppendCondition(of_types("Lent"), 0), connection=caller)
    with pytest.raises(PositionUnknown):
        store.append(event("Lent"), condition=AppendCondition(of_types("Lent"), 9), connection=caller)
    known = event("Returned")
    store.append(known, connection=caller)
    other = StorableEvent.build("Other", NOON, payload=b"{}", event_id=known.event_id)
    with pytest.raises(EventIdReused):
        store.append(other, connection=caller)
    caller.commit()
    assert (types_in_order(store), books(pool, shelf)) == (["Lent", "Returned"], ["Dune"])


def test_the_guard_sees_what_the_transaction_itself_has_appended(
    store: PostgresEventStore, caller: Connection[Any]
) -> None:
    condition = store.query(of_types("Lent")).append_condition
    store.append(event("Lent"), condition=condition, connection=caller)
    with pytest.raises(ConcurrencyConflict) as conflict:
        store.append(event("Lent"), condition=condition, connection=caller)
    assert conflict.value.event.sequence_number == 1
    assert store.append(event("Lent"), condition=AppendCondition(of_types("Lent"), 1), connection=caller) == [2]


def test_a_stale_guard_needs_no_second_connection(dsn: str, store: PostgresEventStore, table: str) -> None:
    """All others of the pool may be waiting for the very lock that this transaction holds."""
    store.append(event("Lent"), *[event("Noise") for _ in range(1_100)])
    with open_pool(dsn, max_size=1, timeout=5) as pool:
        pool.timeout = 0.05
        with pool.connection() as connection, connection.transaction():
            joined = PostgresEventStore(pool, table)
            fresh = AppendCondition(of_types("Returned"), 0)
            assert joined.append(event("Returned"), condition=fresh, connection=connection) == [1_102]
            with pytest.raises(ConcurrencyConflict):
                joined.append(event(), condition=AppendCondition(of_types("Lent"), 0), connection=connection)


def test_a_stale_guard_sees_what_the_transaction_itself_has_appended(
    store: PostgresEventStore, caller: Connection[Any]
) -> None:
    noise = [event("Noise") for _ in range(1_100)]
    store.append(noise[0], *noise[1:])
    condition = AppendCondition(of_types("Lent"), 0)
    assert store.append(event("Lent"), condition=condition, connection=caller) == [1_101]
    with pytest.raises(ConcurrencyConflict) as conflict:
        store.append(event("Lent"), condition=condition, connection=caller)
    assert conflict.value.event.sequence_number == 1_101


def test_other_appends_wait_until_the_callers_transaction_ends(
    dsn: str, store: PostgresEventStore, caller: Connection[Any]
) -> None:
    condition = store.query(of_types("Lent")).append_condition
    store.append(event("Lent"), condition=condition, connection=caller)
    with ThreadPoolExecutor(1) as threads:
        rival = threads.submit(store.append, event("Lent"), condition=condition)
        wait_until_blocked_or_done(dsn, rival)
        assert not rival.done()
        caller.commit()
        with pytest.raises(ConcurrencyConflict):
            rival.result()
    assert types_in_order(store) == ["Lent"]


def test_what_is_rolled_back_to_a_savepoint_was_never_appended(
    dsn: str, store: PostgresEventStore, caller: Connection[Any]
) -> None:
    def fail() -> None:
        with caller.transaction():
            store.append(event("Undone"), connection=caller)
            raise LookupError

    with caller.transaction():
        with pytest.raises(LookupError):
            fail()
        # The lock went with the savepoint: others can append before this transaction ends.
        store.append(event("Between"))
        store.append(event("Kept"), connection=caller)
    assert types_in_order(store) == ["Between", "Kept"]


def test_an_error_inside_a_savepoint_leaves_the_rest_of_the_transaction(
    store: PostgresEventStore, caller: Connection[Any]
) -> None:
    with caller.transaction():
        store.append(event("Before"), connection=caller)
        unstorable = StorableEvent(event().event_id, "Bad", NOON, b"[]", b"{}")  # past build(): PostgreSQL refuses it
        with pytest.raises(InvalidEvent), caller.transaction():
            store.append(unstorable, connection=caller)
        store.append(event("After"), connection=caller)
    assert types_in_order(store) == ["Before", "After"]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_another_isolation_level_is_refused(store: PostgresEventStore, caller: Connection[Any], level: str) -> None:
    caller.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
    for batch in ([event()], [event(), event()]):
        with pytest.raises(InvalidTransaction, match=level), caller.transaction():
            store.append(batch[0], *batch[1:], connection=caller)
    caller.commit()
    assert types_in_order(store) == []


def test_without_an_open_transaction_there_is_nothing_to_join(dsn: str, store: PostgresEventStore) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        with pytest.raises(InvalidTransaction, match="autocommit"):
            store.append(event(), connection=connection)
        with connection.transaction():
            store.append(event("Joined"), connection=connection)
    assert types_in_order(store) == ["Joined"]


def test_a_failed_transaction_cannot_carry_an_append(store: PostgresEventStore, caller: Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        caller.execute("SELECT 1 / 0")
    with pytest.raises(InvalidTransaction, match="rolled back"):
        store.append(event(), connection=caller)
    caller.rollback()
    store.append(event("Joined"), connection=caller)
    caller.commit()
    assert types_in_order(store) == ["Joined"]


def test_a_closed_connection_cannot_carry_an_append(dsn: str, store: PostgresEventStore) -> None:
    connection = psycopg.connect(dsn)
    connection.close()
    with pytest.raises(InvalidTransaction, match="closed"):
        store.append(event(), connection=connection)


def test_a_connection_that_breaks_has_written_nothing(dsn: str, store: PostgresEventStore) -> None:
    with psycopg.connect(dsn, autocommit=True) as watcher:
        connection = psycopg.connect(dsn)
        store.append(event(), connection=connection)
        watcher.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        with pytest.raises(StoreUnavailable) as broken:
            store.append(event(), connection=connection)
        assert not broken.value.outcome_unknown
    assert types_in_order(store) == []


def test_two_stores_that_wait_for_each_other_are_a_deadlock_with_a_known_outcome(
    dsn: str, pool: Pool, store: PostgresEventStore, table: str
) -> None:
    other = PostgresEventStore(pool, f"{table[:30]}_b")
    other.create_schema()

    def second_step(target: PostgresEventStore, connection: Connection[Any]) -> str:
        try:
            target.append(event("Second"), connection=connection)
        except StoreUnavailable as deadlock:
            connection.rollback()
            return f"outcome unknown: {deadlock.outcome_unknown}, {deadlock}"
        connection.commit()
        return "committed"

    with psycopg.connect(dsn) as one, psycopg.connect(dsn) as two, ThreadPoolExecutor(1) as threads:
        store.append(event("First"), connection=one)
        other.append(event("First"), connection=two)
        waiting = threads.submit(second_step, other, one)
        wait_until_blocked_or_done(dsn, waiting)
        outcomes = sorted([second_step(store, two), waiting.result()], key=len)
    assert outcomes[0] == "committed"
    assert outcomes[1].startswith("outcome unknown: False, deadlock detected")
    assert sorted([len(store.query(EVERYTHING)), len(other.query(EVERYTHING))]) == [1, 1]


def test_the_callers_own_ways_of_reading_rows_do_not_matter(dsn: str, store: PostgresEventStore) -> None:
    with psycopg.connect(dsn, row_factory=dict_row, cursor_factory=psycopg.ClientCursor) as connection:
        assert store.append(event("A"), connection=connection) == [1]
        assert store.append(event("B"), event("C"), connection=connection) == [2, 3]
        assert connection.info.transaction_status == TransactionStatus.INTRANS
    assert types_in_order(store) == ["A", "B", "C"]


def test_a_missing_schema_is_said(pool: Pool, table: str, caller: Connection[Any]) -> None:
    with pytest.raises(SchemaMissing):
        PostgresEventStore(pool, table).append(event(), connection=caller)


def test_a_retry_in_another_transaction_is_recognised(store: PostgresEventStore, caller: Connection[Any]) -> None:
    lent = event("Lent")
    store.append(lent, connection=caller)
    caller.rollback()
    [number] = store.append(lent, connection=caller)
    caller.commit()
    assert store.append(lent, connection=caller) == [number]
    caller.commit()
    assert store.append(lent) == [number]
