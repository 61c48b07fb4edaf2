"""A server that is full, read-only, a standby, restarted or out of memory: what is said, and what is left."""

import contextlib
import secrets
from collections.abc import Generator

import psycopg
import pytest

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, throwaway_server
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.faults import ask, left_clean, works


@contextlib.contextmanager
def small_server(**options: str) -> Generator[tuple[EmbeddedServer, Pool]]:
    """A server of one's own with an empty store, and a pool with one connection."""
    with throwaway_server(options=options) as server, open_pool(server.dsn, max_size=1) as pool:
        PostgresEventStore(pool).create_schema()
        yield server, pool


def test_a_read_only_server_answers_queries_and_refuses_appends(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    [number] = store.append(checks.event())
    with open_pool(f"{dsn} options='-c default_transaction_read_only=on'", max_size=1) as pool:
        reader = PostgresEventStore(pool, table)
        with pytest.raises(StoreUnavailable, match="read-only transaction") as refused:
            reader.append(checks.event())
        assert not refused.value.outcome_unknown
        assert [event.sequence_number for event in reader.query(checks.EVERYTHING)] == [number]


def test_a_standby_answers_queries_and_refuses_appends() -> None:
    with small_server() as (server, pool):
        known = checks.event()
        [number] = PostgresEventStore(pool).append(known)
        server.stop()
        (server.data / "cluster" / "standby.signal").touch()
        server.restart()
        assert ask(server.dsn, "SELECT pg_is_in_recovery()")
        standby = PostgresEventStore(pool)
        for attempt in ([checks.event()], [checks.event(), checks.event()]):
            with pytest.raises(StoreUnavailable, match="read-only transaction") as refused:
                standby.append(*attempt)
            assert not refused.value.outcome_unknown
        with pytest.raises(StoreUnavailable) as refused:
            standby.append(known)  # what is stored here, this server cannot make durable elsewhere
        assert not refused.value.outcome_unknown
        assert [event.sequence_number for event in standby.query(checks.EVERYTHING)] == [number]


def test_a_server_restarted_between_two_calls_is_used_as_if_nothing_had_happened() -> None:
    with throwaway_server() as server, open_pool(server.dsn, min_size=4, max_size=4) as pool:
        pool.wait()
        store = PostgresEventStore(pool)
        store.create_schema()
        for end in (server.stop, server.kill, lambda: server.stop("immediate")):
            event = checks.event()
            [number] = store.append(event)
            end()
            server.restart()
            assert store.append(event) == [number]
            end()
            server.restart()
            assert store.query(checks.EVERYTHING).max_sequence_number == number


def test_while_a_server_is_down_nothing_is_in_doubt() -> None:
    with small_server() as (server, pool):
        pool.timeout = 0.1
        server.kill()
        for call in (
            lambda: PostgresEventStore(pool).append(checks.event()),
            lambda: PostgresEventStore(pool).query(checks.EVERYTHING),
        ):
            with pytest.raises(StoreUnavailable) as down:
                call()
            assert not down.value.outcome_unknown


def test_too_many_connections_are_said_with_the_servers_reason() -> None:
    with small_server(max_connections="8") as (server, pool), contextlib.ExitStack() as guests:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                guests.enter_context(psycopg.connect(server.dsn))
        with pytest.raises(StoreUnavailable, match="too many clients") as refused, open_pool(server.dsn):
            pass
        assert not refused.value.outcome_unknown
        works(pool, "events")  # who has a connection, keeps it
        guests.close()


def test_a_server_out_of_shared_memory_refuses_an_append() -> None:
    with small_server(max_connections="8", max_locks_per_transaction="10") as (server, pool):
        works(pool, "events")
        with left_clean(pool, "events"):
            with psycopg.connect(server.dsn, autocommit=True) as hoarder:
                with pytest.raises(psycopg.errors.OutOfMemory):
                    hoarder.execute("SELECT pg_advisory_lock(lock) FROM generate_series(1, 1000000) lock")
                with pytest.raises(StoreUnavailable, match="out of shared memory") as refused:
                    PostgresEventStore(pool).append(checks.event())
            assert not refused.value.outcome_unknown


def test_a_full_disk_refuses_an_append() -> None:
    """What is too large for its row goes to a file that lies on a device without space; small events have room."""
    path = "SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'events'::regclass"
    with small_server() as (server, pool):
        store = PostgresEventStore(pool)
        file = server.data / "cluster" / ask(server.dsn, path)
        server.stop()
        file.unlink()
        file.symlink_to("/dev/full")
        server.restart()
        works(pool, "events")
        large = checks.event("Large", Noise=secrets.token_hex(20_000))
        with left_clean(pool, "events"):
            with pytest.raises(StoreUnavailable, match=r"No space left on device.*53100") as refused:
                store.append(large)
            assert not refused.value.outcome_unknown
        assert large.event_id not in {event.event_id for event in store.query(checks.EVERYTHING)}


def test_a_query_that_needs_more_temporary_space_than_allowed_is_refused(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    first, *more = [checks.event("Lent", BookID="b", Note=secrets.token_hex(500)) for _ in range(3000)]
    store.append(first, *more)
    with open_pool(f"{dsn} options='-c temp_file_limit=1MB -c work_mem=64kB'", max_size=1) as pool:
        with left_clean(pool, table), pytest.raises(StoreUnavailable, match="temporary file size") as refused:
            PostgresEventStore(pool, table).query(checks.about("BookID", "b"))
        assert not refused.value.outcome_unknown
