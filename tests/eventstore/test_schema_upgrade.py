"""Every schema that a release has ever made becomes, by an upgrade, the one that this release makes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import AppendCondition, ConcurrencyConflict, SchemaMissing, SchemaOutdated, StoreUnavailable, uuid7
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import SCHEMA_VERSION
from eventstore.testing.race import race_for_prizes
from tests.eventstore.databases import catalog, new_database
from tests.eventstore.examples import EVERYTHING, event, having, types_in_order
from tests.eventstore.guarantee_checks import lock_held
from tests.eventstore.older_schemas import OLDER_VERSIONS, create_older_schema

OLDEST = OLDER_VERSIONS[0]
older_versions = pytest.mark.parametrize("version", OLDER_VERSIONS)


def version_of(pool: Pool, table: str) -> int:
    with pool.connection() as connection:
        row = connection.execute(SQL("SELECT {}()").format(Identifier(f"{table}_schema_version"))).fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture(params=OLDER_VERSIONS)
def older(pool: Pool, table: str, request: pytest.FixtureRequest) -> PostgresEventStore:
    """A store with the schema of an earlier release."""
    with pool.connection() as connection:
        create_older_schema(connection, request.param, table)
    return PostgresEventStore(pool, table)


def test_the_schema_of_every_earlier_version_is_kept() -> None:
    assert tuple(range(1, SCHEMA_VERSION)) == OLDER_VERSIONS


@older_versions
@pytest.mark.parametrize("table", ["events", "archive.log"])
def test_an_upgraded_store_is_a_new_one_with_the_old_events(dsn: str, version: int, table: str) -> None:
    with ExitStack() as opened:
        old, new = (opened.enter_context(new_database(dsn)) for _ in range(2))
        pools = [opened.enter_context(open_pool(database)) for database in (old, new)]
        for pool in pools:
            with pool.connection() as connection:
                connection.execute("CREATE SCHEMA archive")
        with pools[0].connection() as connection:
            create_older_schema(connection, version, table)
        PostgresEventStore(pools[1], table).create_schema()
        assert catalog(old) != catalog(new)

        store = PostgresEventStore(pools[0], table)
        first = event("A", '{"K": 1}')
        seen = store.query(having("K", 1))
        store.append(first)
        store.append(event("B"), event("C"))
        before = store.query(EVERYTHING)
        assert store.upgrade_schema() == version

        assert catalog(old) == catalog(new)
        store.check_schema()
        assert store.upgrade_schema() == SCHEMA_VERSION
        assert store.query(EVERYTHING) == before
        assert store.append(first) == [1]
        with pytest.raises(ConcurrencyConflict):
            store.append(event("D"), condition=seen.append_condition)
        assert store.append(event("D")) == [4]


def test_rights_that_were_given_survive_an_upgrade(dsn: str) -> None:
    with new_database(dsn) as database, psycopg.connect(database, autocommit=True) as connection:
        create_older_schema(connection, OLDEST)
        connection.execute("GRANT SELECT ON events TO pg_read_all_stats")
        connection.execute("REVOKE ALL ON FUNCTION events_schema_version() FROM PUBLIC")
        with open_pool(database) as pool:
            PostgresEventStore(pool).upgrade_schema()
        rights = [line for line in catalog(database) if line.startswith(("GRANT", "REVOKE"))]
        assert "GRANT SELECT ON TABLE public.events TO pg_read_all_stats;" in rights
        assert "REVOKE ALL ON FUNCTION public.events_schema_version() FROM PUBLIC;" in rights


def test_an_older_schema_is_refused_and_what_to_run_is_said(pool: Pool, older: PostgresEventStore, table: str) -> None:
    version = version_of(pool, table)
    for call in (older.check_schema, older.create_schema):
        with pytest.raises(SchemaOutdated, match=rf"version {version}.*needs {SCHEMA_VERSION}; upgrade_schema\(\)"):
            call()
    assert version_of(pool, table) == version
    older.upgrade_schema()  # nothing is in its way
    older.check_schema()


def test_a_newer_schema_is_refused_and_left_alone(pool: Pool, store: PostgresEventStore, table: str) -> None:
    with pool.connection() as connection:
        version = Identifier(f"{table}_schema_version")
        connection.execute(
            SQL("CREATE OR REPLACE FUNCTION {}() RETURNS integer LANGUAGE sql AS 'SELECT 999'").format(version)
        )
    for call in (store.check_schema, store.create_schema, store.upgrade_schema):
        with pytest.raises(SchemaOutdated, match=rf"999.*knows only {SCHEMA_VERSION}; update the package"):
            call()
    assert version_of(pool, table) == 999


def test_a_missing_schema_is_not_upgraded(pool: Pool, table: str) -> None:
    with pytest.raises(SchemaMissing, match=r"create_schema\(\)"):
        PostgresEventStore(pool, table).upgrade_schema()


def test_upgrading_again_changes_nothing(older: PostgresEventStore) -> None:
    older.append(event("A"))
    for _ in range(3):
        older.upgrade_schema()
    assert older.append(event("B")) == [2]


def test_several_processes_may_upgrade_at_the_same_moment(older: PostgresEventStore) -> None:
    barrier = Barrier(6)

    def upgrade(_: int) -> None:
        barrier.wait()
        older.upgrade_schema()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(upgrade, range(6)))
    older.check_schema()


def test_an_upgrade_that_fails_half_way_has_changed_nothing(dsn: str) -> None:
    with new_database(dsn) as database, psycopg.connect(database, autocommit=True) as connection:
        create_older_schema(connection, OLDEST)
        connection.execute("CREATE VIEW events_snapshots AS SELECT 'in the way' AS what")
        before = catalog(database)
        with open_pool(database) as pool:
            store = PostgresEventStore(pool)
            store.append(event("A"))
            with pytest.raises(StoreUnavailable, match="already exists") as failed:
                store.upgrade_schema()
            assert not failed.value.outcome_unknown
            assert catalog(database) == before
            assert store.append(event("B")) == [2]
            connection.execute("DROP VIEW events_snapshots")
            store.upgrade_schema()
            assert types_in_order(store) == ["A", "B"]


def test_what_an_upgrade_adds_belongs_to_the_owner_of_the_store(dsn: str) -> None:
    owner = f"owner_{uuid7().hex[-12:]}"
    with psycopg.connect(dsn, autocommit=True) as server, new_database(dsn) as database:
        server.execute(SQL("CREATE ROLE {}").format(Identifier(owner)))
        try:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(SQL("GRANT ALL ON SCHEMA public TO {}").format(Identifier(owner)))
                connection.execute(SQL("SET ROLE {}").format(Identifier(owner)))
                create_older_schema(connection, OLDEST)
                connection.execute("RESET ROLE")
                with open_pool(database) as pool:  # as a superuser
                    PostgresEventStore(pool).upgrade_schema()
                owners = "SELECT tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
                assert connection.execute(owners).fetchall() == [(owner,), (owner,)]
                connection.execute(SQL("DROP OWNED BY {}").format(Identifier(owner)))
        finally:
            server.execute(SQL("DROP ROLE {}").format(Identifier(owner)))


def test_who_does_not_own_the_store_cannot_upgrade_it(dsn: str, older: PostgresEventStore, table: str) -> None:
    stranger = f"stranger_{uuid7().hex[-12:]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(stranger)))
        try:
            with (
                open_pool(f"{dsn} options='-c role={stranger}'") as pool,
                pytest.raises(StoreUnavailable, match=r"permission denied|must be owner"),
            ):
                PostgresEventStore(pool, table).upgrade_schema()
        finally:
            connection.execute(SQL("DROP ROLE {}").format(Identifier(stranger)))


def waiting_for_the_lock(dsn: str, expected: int, still_running: Callable[[], bool]) -> None:
    """Return when so many sessions wait for an advisory lock."""
    pause = threading.Event()
    with psycopg.connect(dsn, autocommit=True) as watcher:
        blocked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while still_running():
            row = watcher.execute(blocked).fetchone()
            if row is not None and row[0] >= expected:
                return
            pause.wait(0.005)
    pytest.fail("nobody waited")


def test_an_upgrade_waits_for_its_turn_and_the_appends_behind_it_are_made(
    dsn: str, older: PostgresEventStore, table: str
) -> None:
    """An append is not committed yet, then an upgrade comes, then another append."""
    with ThreadPoolExecutor(2) as threads:
        with lock_held(dsn, table):
            upgrade = threads.submit(older.upgrade_schema)
            waiting_for_the_lock(dsn, 1, lambda: not upgrade.done())
            append = threads.submit(older.append, event("A"))
            waiting_for_the_lock(dsn, 2, lambda: not append.done())
        upgrade.result()
        [number] = append.result()
    assert [stored.sequence_number for stored in older.query(EVERYTHING)] == [number]


def test_every_guard_holds_while_a_store_is_upgraded(older: PostgresEventStore) -> None:
    begun = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        racing = threads.submit(race_for_prizes, older, rounds=60, progress=lambda done: begun.set())
        racing.add_done_callback(lambda _: begun.set())
        begun.wait()
        assert not racing.done()
        older.upgrade_schema()
        report = racing.result()
    older.check_schema()
    assert report.is_clean, str(report)


@older_versions
def test_the_new_release_appends_to_the_old_schema_as_a_rolling_update_needs(
    pool: Pool, table: str, version: int
) -> None:
    """And a process of the old release goes on after the upgrade: the append functions are called as before."""
    with pool.connection() as connection:
        create_older_schema(connection, version, table)
    store = PostgresEventStore(pool, table)
    assert store.append(event("A"), condition=AppendCondition(EVERYTHING, 0)) == [1]
    store.upgrade_schema()
    assert store.append(event("B"), condition=AppendCondition(EVERYTHING, 1)) == [2]
