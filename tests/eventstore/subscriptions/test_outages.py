"""What subscriptions live through, and what ends them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from eventstore import SchemaMissing, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, throwaway_server
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING, event, of_types
from tests.eventstore.faults import LONGEST_WAIT, ask
from tests.eventstore.subscriptions.following import (
    NEVER,
    Follower,
    append_at_last,
    eventually,
    listeners,
    wait_for_listeners,
)
from tests.eventstore.test_pgbouncer import behind_pgbouncer


@pytest.mark.parametrize("end", [EmbeddedServer.kill, EmbeddedServer.stop])
def test_a_subscription_goes_on_after_the_server_restarts(
    end: Callable[[EmbeddedServer], None], caplog: pytest.LogCaptureFixture
) -> None:
    with throwaway_server() as server, open_pool(server.dsn) as pool:
        store = PostgresEventStore(pool, poll_interval=NEVER)
        store.create_schema()
        store.append(event())
        with Follower(store) as follower:
            follower.reached(1).waits()
            end(server)
            eventually(lambda: "cannot listen" in caplog.text, "the listener notices")
            assert not follower.has_ended
            server.restart()
            [second] = append_at_last(store, event())
            follower.reached(second)
            wait_for_listeners(server.dsn, "events", 1)
            follower.waits()
            [third] = append_at_last(store, event())
            assert follower.reached(third).numbers == [1, second, third]


def test_none_is_lost_and_none_comes_twice_while_the_server_is_killed_under_load() -> None:
    stop = threading.Event()
    with throwaway_server() as server, open_pool(server.dsn, max_size=8) as pool:
        store = PostgresEventStore(pool, poll_interval=NEVER)
        store.create_schema()

        def write(event_type: str) -> None:
            while not stop.is_set():
                append_at_last(store, event(event_type), event(event_type))

        with Follower(store) as everything, Follower(store, of_types("B")) as part, ThreadPoolExecutor(2) as writers:
            done = [writers.submit(write, event_type) for event_type in ("A", "B")]
            for _ in range(3):
                everything.reached(everything.position + 20)
                server.kill()
                server.restart()
            everything.reached(everything.position + 20)
            stop.set()
            for writer in done:
                writer.result(LONGEST_WAIT)
            head = store.query(EVERYTHING).position
            everything.reached(head)
            part.reached(head)
        assert tuple(everything.events) == store.query(EVERYTHING).events
        assert tuple(part.events) == store.query(of_types("B")).events


def test_a_subscription_waits_while_the_pool_is_exhausted(
    dsn: str, store: PostgresEventStore, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eventstore")
    with ConnectionPool[psycopg.Connection[object]](dsn, min_size=1, max_size=1, open=True) as single:
        with Follower(PostgresEventStore(single, table, poll_interval=NEVER)) as follower:
            wait_for_listeners(dsn, table, 1)
            follower.waits()
            with single.connection():
                store.append(event())
                eventually(lambda: "cannot read" in caplog.text, "it is told")
                assert follower.batches == []
            follower.reached(1)
        assert follower.numbers == [1]
    what = f"cannot read public.{table}, subscriptions wait"
    assert caplog.messages[0].startswith(f"{what}: couldn't get a connection")
    assert caplog.messages[1:] == [f"over: {what}"]


def test_a_subscription_can_be_closed_while_it_waits_for_a_connection(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    with ConnectionPool[psycopg.Connection[object]](dsn, min_size=1, max_size=1, open=True) as single:
        single.wait()
        with single.connection():
            followers = [Follower(PostgresEventStore(single, table)) for _ in range(2)]
            same_store = PostgresEventStore(single, table)
            followers += [Follower(same_store) for _ in range(3)]
            for follower in followers:
                follower.subscription.close()
                assert follower.ended().batches == []


def test_a_table_that_does_not_exist_ends_the_subscription(pool: Pool, dsn: str, table: str) -> None:
    subscription = PostgresEventStore(pool, table).subscribe(EVERYTHING)
    with pytest.raises(SchemaMissing, match="create_schema"):
        next(subscription)
    assert list(subscription) == []
    wait_for_listeners(dsn, table, 0)


def test_a_table_that_is_dropped_ends_the_subscription(dsn: str, store: PostgresEventStore, table: str) -> None:
    follower = Follower(PostgresEventStore(store._pool, table, poll_interval=0.05)).waits()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("DROP TABLE {} CASCADE").format(Identifier(table)))
    with pytest.raises(SchemaMissing):
        follower.ended()
    wait_for_listeners(dsn, table, 0)


def test_a_pool_that_is_closed_ends_the_subscription(dsn: str, store: PostgresEventStore, table: str) -> None:
    with open_pool(dsn) as soon_closed:
        follower = Follower(PostgresEventStore(soon_closed, table, poll_interval=0.05)).waits()
    with pytest.raises(StoreUnavailable, match="closed"):
        follower.ended()
    wait_for_listeners(dsn, table, 0)


def test_a_role_that_may_not_read_is_told_so(dsn: str, store: PostgresEventStore, table: str) -> None:
    role = f"stranger_{table}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
        try:
            with open_pool(make_conninfo(dsn, options=f"-c role={role}")) as pool:
                subscription = PostgresEventStore(pool, table).subscribe(EVERYTHING)
                with pytest.raises(StoreUnavailable, match="permission denied"):
                    next(subscription)
                assert list(subscription) == []
        finally:
            connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def test_a_role_that_may_only_read_can_subscribe(dsn: str, store: PostgresEventStore, table: str) -> None:
    role = f"reader_{table}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
        connection.execute(SQL("GRANT SELECT ON {} TO {}").format(Identifier(table), Identifier(role)))
        try:
            with (
                open_pool(make_conninfo(dsn, options=f"-c role={role}")) as pool,
                Follower(PostgresEventStore(pool, table, poll_interval=NEVER)) as follower,
            ):
                wait_for_listeners(dsn, table, 1)
                follower.waits()
                store.append(event())
                follower.reached(1)
        finally:
            connection.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
            connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))


@pytest.mark.pgbouncer
def test_behind_pgbouncer_subscriptions_poll_and_say_how_they_could_be_told(caplog: pytest.LogCaptureFixture) -> None:
    with behind_pgbouncer(max_size=4) as (server, _, pool):
        store = PostgresEventStore(pool, poll_interval=0.05)
        for number in range(1, 4):
            with Follower(store, after=number - 1) as follower:
                store.append(event())
                follower.reached(number)
        assert ask(server.dsn, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'") == 0
    assert [message for message in caplog.messages if "give a listen_dsn" in message] == caplog.messages[:1]


@pytest.mark.pgbouncer
def test_behind_pgbouncer_subscriptions_listen_at_the_server_itself() -> None:
    with behind_pgbouncer(max_size=4) as (server, bouncer, pool):
        store = PostgresEventStore(pool, listen_dsn=server.dsn, poll_interval=NEVER)
        with Follower(store) as follower:
            wait_for_listeners(server.dsn, "events", 1)
            follower.waits()
            store.append(event())
            follower.reached(1).waits()
            bouncer.restart()
            append_at_last(store, event())
            follower.reached(2)
        assert follower.numbers == [1, 2]
        wait_for_listeners(server.dsn, "events", 0)
        assert listeners(server.dsn, "events") == 0
