"""How subscriptions on PostgreSQL hear of events: one connection for all, and a look from time to time."""

import gc
import logging
from collections.abc import Callable
from types import SimpleNamespace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from eventstore.postgres import PostgresEventStore, listening
from eventstore.postgres.listening import LONGEST_PAUSE, Outage, pause
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING, event, of_types
from tests.eventstore.guarantee_checks import hand_written_insert
from tests.eventstore.subscriptions.following import (
    NEVER,
    Follower,
    end_listeners,
    listeners,
    wait_for_listeners,
)


def test_all_subscribers_of_a_store_share_one_connection_and_leave_none_behind(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    assert listeners(dsn, table) == 0
    for _ in range(2):
        with Follower(store) as first:
            with Follower(store, of_types("Lent")) as second:
                store.append(event())
                second.reached(1)
                wait_for_listeners(dsn, table, 1)
            first.reached(1).waits()
            assert listeners(dsn, table) == 1
        wait_for_listeners(dsn, table, 0)


def test_the_listening_connection_is_not_one_of_the_pool(dsn: str, own_pool: Pool) -> None:
    store = PostgresEventStore(own_pool, poll_interval=NEVER)
    store.create_schema()
    with Follower(store) as follower:
        store.append(event())
        follower.reached(1).waits()
        wait_for_listeners(dsn, "events", 1)
        assert own_pool.get_stats()["pool_available"] == own_pool.max_size


def test_many_subscribers_that_wait_hold_no_connection(dsn: str, store: PostgresEventStore, table: str) -> None:
    with ConnectionPool[psycopg.Connection[object]](dsn, min_size=1, max_size=1, open=True) as single:
        narrow = PostgresEventStore(single, table, poll_interval=NEVER)
        followers = [Follower(narrow).waits() for _ in range(10)]
        for number in range(1, 6):
            narrow.append(event())
            for follower in followers:
                follower.reached(number)
        for follower in followers:
            follower.subscription.close()
            assert follower.ended().numbers == [1, 2, 3, 4, 5]


def test_a_subscription_that_is_thrown_away_leaves_no_connection_behind(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    subscription = store.subscribe(EVERYTHING)
    wait_for_listeners(dsn, table, 1)
    del subscription
    gc.collect()
    wait_for_listeners(dsn, table, 0)


def copy(connection: psycopg.Connection[object], table: str) -> None:
    columns = SQL("COPY {} (event_id, event_type, occurred_at, payload, metadata) FROM STDIN").format(Identifier(table))
    with connection.cursor().copy(columns) as rows:
        new = event()
        rows.write_row((new.event_id, new.event_type, new.occurred_at, "{}", "{}"))


def insert(connection: psycopg.Connection[object], table: str) -> None:
    connection.execute(hand_written_insert(table))


@pytest.mark.parametrize("write", [copy, insert])
def test_what_is_written_by_hand_wakes_subscribers(
    dsn: str, store: PostgresEventStore, table: str, write: Callable[[psycopg.Connection[object], str], None]
) -> None:
    with Follower(store) as follower, psycopg.connect(dsn) as connection:
        wait_for_listeners(dsn, table, 1)
        follower.waits()
        write(connection, table)
        assert follower.batches == []  # not committed yet
        connection.commit()
        follower.reached(1)
    assert follower.numbers == [1]


def test_what_is_rolled_back_wakes_nobody_and_leaves_a_gap(dsn: str, store: PostgresEventStore, table: str) -> None:
    store.append(event())
    with Follower(store) as follower, psycopg.connect(dsn) as connection:
        wait_for_listeners(dsn, table, 1)
        follower.reached(1).waits()
        insert(connection, table)
        connection.rollback()
        [number] = store.append(event())
        follower.reached(number)
    assert number == 3
    assert [(batch.position, len(batch)) for batch in follower.batches] == [(1, 1), (3, 1)]


def test_an_event_that_joined_a_transaction_comes_when_it_is_committed(dsn: str, store: PostgresEventStore) -> None:
    with Follower(store) as follower, psycopg.connect(dsn) as connection:
        follower.waits()
        store.append(event(), connection=connection)
        assert follower.batches == []
        connection.commit()
        follower.reached(1)


def test_a_lost_notification_is_made_up_for_by_a_look(dsn: str, store: PostgresEventStore, table: str) -> None:
    names = {"table": Identifier(table), "trigger": Identifier(f"{table}_before_insert")}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("ALTER TABLE {table} DISABLE TRIGGER {trigger}").format(**names))
    polling = PostgresEventStore(store._pool, table, poll_interval=0.05)
    with Follower(polling) as follower:
        follower.waits()
        for number in range(1, 4):
            polling.append(event())
            follower.reached(number)
    assert follower.numbers == [1, 2, 3]


def test_a_listening_connection_that_ends_is_replaced(dsn: str, store: PostgresEventStore, table: str) -> None:
    with Follower(store) as follower:
        for number in range(1, 4):
            wait_for_listeners(dsn, table, 1)
            end_listeners(dsn, table)
            wait_for_listeners(dsn, table, 1)
            store.append(event())
            follower.reached(number)


def test_what_was_appended_while_nobody_listened_comes_when_somebody_does_again(
    dsn: str, database: str, own_pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventstore")
    store = PostgresEventStore(own_pool, poll_interval=NEVER)
    store.create_schema()
    allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with Follower(store) as follower, psycopg.connect(dsn, autocommit=True) as connection:
        wait_for_listeners(dsn, "events", 1)
        follower.waits()
        connection.execute(allow.format(Identifier(database), SQL("false")))
        end_listeners(dsn, "events")
        store.append(event())
        connection.execute(allow.format(Identifier(database), SQL("true")))
        follower.reached(1)
    assert caplog.messages[0].startswith("cannot listen for events of public.events, subscriptions only poll: ")
    assert caplog.messages[1:] == ["over: cannot listen for events of public.events, subscriptions only poll"]


def test_a_subscription_can_be_closed_while_nobody_can_listen(dsn: str, database: str, own_pool: Pool) -> None:
    store = PostgresEventStore(own_pool, poll_interval=NEVER)
    store.create_schema()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(Identifier(database)))
    with Follower(store) as follower:
        follower.waits()
    assert follower.batches == []


def test_where_nobody_can_listen_subscriptions_poll(
    store: PostgresEventStore, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = "host=127.0.0.1 port=1 connect_timeout=1"
    polling = PostgresEventStore(store._pool, table, listen_dsn=nowhere, poll_interval=0.05)
    with Follower(polling) as follower:
        for number in range(1, 4):
            polling.append(event())
            follower.reached(number).waits()
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) <= 1


@pytest.mark.parametrize("is_callable", [False, True])
def test_any_pool_tells_where_to_listen(dsn: str, store: PostgresEventStore, table: str, is_callable: bool) -> None:
    arguments = {"autocommit": False, "row_factory": dict_row, "prepare_threshold": None, "connect_timeout": 7}
    with ConnectionPool[psycopg.Connection[object]](
        (lambda: make_conninfo(dsn)) if is_callable else dsn,
        kwargs=(lambda: arguments) if is_callable else arguments,
        open=True,
    ) as foreign:
        follows = PostgresEventStore(foreign, table, poll_interval=NEVER)
        with Follower(follows) as follower:
            wait_for_listeners(dsn, table, 1)
            follower.waits()
            store.append(event())
            follower.reached(1)


def test_a_pool_without_arguments_tells_where_to_listen(dsn: str, store: PostgresEventStore, table: str) -> None:
    with ConnectionPool[psycopg.Connection[object]](dsn, open=True) as bare:
        with Follower(PostgresEventStore(bare, table, poll_interval=NEVER)):
            wait_for_listeners(dsn, table, 1)
        wait_for_listeners(dsn, table, 0)


def test_a_store_in_another_schema_is_followed_by_its_own_name(dsn: str, pool: Pool, table: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(table)))
    try:
        store = PostgresEventStore(pool, f"{table}.events", poll_interval=NEVER)
        store.create_schema()
        with Follower(store) as follower:
            wait_for_listeners(dsn, f"{table}.events", 1)
            follower.waits()
            store.append(event())
            follower.reached(1)
    finally:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(table)))


@pytest.mark.parametrize("interval", [0, -1, 0.001, 3601, float("nan")])
def test_an_interval_that_makes_no_sense_is_refused(pool: Pool, interval: float) -> None:
    with pytest.raises(ValueError, match="poll_interval must be between"):
        PostgresEventStore(pool, poll_interval=interval)


def test_a_listening_address_that_libpq_cannot_read_is_refused_without_repeating_its_password(pool: Pool) -> None:
    with pytest.raises(ValueError, match="listen_dsn is no connection string") as refused:
        PostgresEventStore(pool, listen_dsn="host=x passwort=secret")
    assert "secret" not in str(refused.value)


def test_pauses_grow_and_are_never_the_same_for_all() -> None:
    assert all(0.05 <= pause(1) <= 0.1 for _ in range(100))
    assert all(LONGEST_PAUSE / 2 <= pause(failures) <= LONGEST_PAUSE for failures in (10, 1_000, 10**9))
    assert len({pause(3) for _ in range(100)}) > 1


def test_an_outage_is_told_once_however_many_meet_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "eventstore")
    clock = [0.0]
    monkeypatch.setattr(listening, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    outage = Outage("it rains")
    outage.is_over()
    for _ in range(3):
        outage.goes_on("clouds")
    outage.is_over()
    outage.goes_on("clouds again")  # at first not told: a server comes back connection by connection
    outage.is_over()
    outage.goes_on("clouds again")
    clock[0] = 31.0
    outage.goes_on("still clouds")
    outage.is_over()
    outage.is_over()
    assert caplog.messages == ["it rains: clouds", "over: it rains", "it rains: still clouds", "over: it rains"]
