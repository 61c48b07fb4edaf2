"""`init-db` creates and never upgrades, `upgrade-db` upgrades; both do all or nothing."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.schema import SCHEMA_VERSION
from library_app.commands.tables import create_or_upgrade_all
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.race import postgres as race_lab
from slices.lending.book_search.live import model
from slices.live.schema import check_tables
from tests.eventstore.databases import catalog
from tests.eventstore.older_schemas import OLDER_VERSIONS, create_older_schema
from tests.library_app.command_line import EMAIL_KEY, SECRETS, assert_says, run

OLDEST = OLDER_VERSIONS[0]


def make_older(dsn: str, events: int, lab: int | None = None) -> None:
    """The tables of an older release; the very oldest had no lab."""
    with psycopg.connect(dsn) as connection:
        create_older_schema(connection, events)
        if lab is not None:
            create_older_schema(connection, lab, race_lab.TABLE)


def assert_complete(dsn: str) -> None:
    with open_pool(dsn, max_size=2) as pool:
        PostgresEventStore(pool).check_schema()
        PostgresIdempotencyRecords(pool).check_schema()
        check_tables(pool, model)
        race_lab.check_tables(pool)


@pytest.mark.parametrize("version", OLDER_VERSIONS)
def test_the_schema_of_an_older_release_is_refused_until_upgrade_db_was_run(database: str, version: int) -> None:
    make_older(database, version)
    before = catalog(database)
    for command in ("init-db", "serve", "seed"):
        assert_says(run(command, LIBRARY_DSN=database, **SECRETS), f"version {version}", "library-app upgrade-db")
    assert catalog(database) == before
    upgraded = run("upgrade-db", LIBRARY_DSN=database)
    assert upgraded.output == (
        f"events: upgraded from version {version} to {SCHEMA_VERSION}.\n"
        f"lab_events: version {SCHEMA_VERSION}, which is up to date.\n"
    )
    assert_complete(database)
    assert run("upgrade-db", LIBRARY_DSN=database).output.count("up to date") == 2
    assert run("init-db", LIBRARY_DSN=database).output == "The schema is in place.\n"
    assert run("seed", LIBRARY_DSN=database, **EMAIL_KEY).exit_code == 0


def test_an_older_lab_beside_current_events_is_upgraded_too(database: str) -> None:
    with open_pool(database, max_size=2) as pool:
        PostgresEventStore(pool).create_schema()
    with psycopg.connect(database) as connection:
        create_older_schema(connection, OLDEST, race_lab.TABLE)
    before = catalog(database)
    assert_says(run("init-db", LIBRARY_DSN=database), "lab_events", "library-app upgrade-db")
    assert catalog(database) == before  # not even what is missing was created
    upgraded = run("upgrade-db", LIBRARY_DSN=database)
    assert f"lab_events: upgraded from version {OLDEST} to {SCHEMA_VERSION}." in upgraded.output
    assert_complete(database)


def test_an_upgrade_that_fails_at_its_last_table_has_changed_none(database: str) -> None:
    make_older(database, OLDEST, OLDEST)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE VIEW lab_events_naive AS SELECT 1")
        connection.execute("DROP FUNCTION lab_events_schema_version()")
    before = catalog(database)
    assert run("upgrade-db", LIBRARY_DSN=database).exit_code == 1
    assert catalog(database) == before


def test_only_the_owner_may_upgrade(database: str) -> None:
    make_older(database, OLDEST)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE upgrade_stranger")
        connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO upgrade_stranger")
        try:
            stranger = make_conninfo(database, options="-c role=upgrade_stranger")
            assert_says(run("upgrade-db", LIBRARY_DSN=stranger), "has not the right to do this", "must be owner")
        finally:
            connection.execute("DROP OWNED BY upgrade_stranger")
            connection.execute("DROP ROLE upgrade_stranger")


def test_what_an_upgrade_adds_for_the_owner_of_the_events_leaves_the_rest_to_who_runs_it(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE upgrade_owner")
        connection.execute("GRANT CREATE, USAGE ON SCHEMA public TO upgrade_owner")
        try:
            make_older(make_conninfo(database, options="-c role=upgrade_owner"), OLDEST)
            assert run("upgrade-db", LIBRARY_DSN=database).exit_code == 0
            rows = connection.execute("SELECT tablename, tableowner FROM pg_tables").fetchall()
            owners: dict[str, str] = dict(rows)
            assert owners["events_snapshots"] == owners["events"] == "upgrade_owner"
            assert owners["idempotency_keys"] == owners["lab_events"] == connection.info.user
        finally:
            connection.execute("DROP OWNED BY upgrade_owner CASCADE")
            connection.execute("DROP ROLE upgrade_owner")


def test_an_empty_database_is_for_init_db(database: str) -> None:
    assert_says(run("upgrade-db", LIBRARY_DSN=database), "library-app init-db")
    assert_says(run("upgrade-db"), "LIBRARY_DSN is not set")


def test_the_schema_of_a_newer_release_is_refused_by_every_command(database: str) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    with psycopg.connect(database) as connection:
        connection.execute("CREATE OR REPLACE FUNCTION events_schema_version() RETURNS integer RETURN 999")
    for command in ("serve", "seed", "init-db", "upgrade-db"):
        assert_says(run(command, LIBRARY_DSN=database, **SECRETS), "version 999", "update the package")


def test_several_may_create_and_upgrade_at_once(database: str) -> None:
    make_older(database, OLDEST, OLDEST)
    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(create_or_upgrade_all, database) for _ in range(4)]:
            each.result()
    assert_complete(database)


def test_a_demo_upgrades_its_own_database(database: str) -> None:
    make_older(database, OLDEST, OLDEST)
    for _ in range(2):
        create_or_upgrade_all(database)
        assert_complete(database)
