"""The schema: made once by whoever comes first, refused where it is missing or changed, of any name, one store each."""

import re
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import (
    AppendCondition,
    SchemaMissing,
    SchemaOutdated,
    Snapshot,
    SnapshotKey,
    uuid7,
)
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool, schema
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import LOCK_NAMESPACE, TableName
from tests.eventstore.databases import catalog, new_database, new_namespace, works
from tests.eventstore.examples import EVERYTHING, event, having

ROOT = Path(__file__).parents[2]
SCHEMA = Path(schema.__file__).parent


@pytest.fixture
def namespace(pool: Pool) -> Generator[str]:
    """A PostgreSQL schema of its own."""
    with new_namespace(pool, f"school_{uuid7().hex[-12:]}") as name:
        yield name


def rows(pool: Pool, question: Any, parameters: Any) -> list[tuple[Any, ...]]:
    with pool.connection() as connection:
        return connection.execute(question, parameters).fetchall()


def test_creating_the_schema_again_changes_nothing(store: PostgresEventStore) -> None:
    store.append(event("A"))
    store.create_schema()
    store.create_schema()
    assert store.append(event("B")) == [2]


def test_two_processes_may_create_the_schema_at_the_same_moment(pool: Pool, table: str) -> None:
    barrier = Barrier(6)

    def create(_: int) -> None:
        store = PostgresEventStore(pool, table)
        barrier.wait()
        store.create_schema()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(create, range(6)))
    works(PostgresEventStore(pool, table))


def test_without_a_schema_every_call_says_that_it_is_missing(pool: Pool, table: str) -> None:
    store = PostgresEventStore(pool, table)
    for call in (
        store.check_schema,
        lambda: store.query(EVERYTHING),
        lambda: store.query(having("K", 1), limit=1),
        lambda: store.append(event()),
        lambda: store.append(event(), event()),
        lambda: store.append(event(), condition=AppendCondition(EVERYTHING, 0)),
    ):
        with pytest.raises(SchemaMissing):
            call()


def test_a_failed_call_leaves_the_store_usable(pool: Pool, table: str) -> None:
    store = PostgresEventStore(pool, table)
    with pytest.raises(SchemaMissing):
        store.append(event())
    store.create_schema()
    works(store)


def test_a_table_without_its_functions_or_its_sequence_is_a_missing_schema(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    stranger, damaged = Identifier(f"{table}_2"), Identifier(f"{table}_sequence_number")
    with pool.connection() as connection:
        connection.execute(SQL("CREATE TABLE {} (sequence_number bigint)").format(stranger))
        connection.execute(SQL("ALTER SEQUENCE {} RENAME TO {}").format(damaged, Identifier(f"{table}_lost")))
    for broken in (PostgresEventStore(pool, f"{table}_2"), store):
        for call in (broken.check_schema, broken.create_schema, broken.upgrade_schema):
            with pytest.raises(SchemaMissing, match="choose another name, or it was damaged, then restore it"):
                call()
        with pytest.raises(SchemaMissing):
            broken.append(event())


def test_a_table_of_snapshots_that_was_dropped_is_made_again(pool: Pool, store: PostgresEventStore, table: str) -> None:
    """And everybody who misses it is told that create_schema() does it."""
    store.append(event("A"))
    with pool.connection() as connection:
        connection.execute(SQL("DROP TABLE {}").format(Identifier(f"{table}_snapshots")))
    store.check_schema()
    key = SnapshotKey("loans", 1, EVERYTHING.hash())
    with pytest.raises(SchemaMissing, match=r"create_schema\(\)"):
        PostgresSnapshotStore(pool, table).load(key)
    store.create_schema()
    assert PostgresSnapshotStore(pool, table).save(key, Snapshot(1, uuid7(), b""))
    assert store.append(event("B")) == [2]


def test_a_postgresql_schema_that_does_not_exist_is_a_missing_schema(pool: Pool) -> None:
    store = PostgresEventStore(pool, f"nowhere_{uuid7().hex[-12:]}.events")
    for call in (store.check_schema, store.create_schema, lambda: store.query(EVERYTHING)):
        with pytest.raises(SchemaMissing):
            call()


def test_another_version_of_the_schema_is_refused(pool: Pool, store: PostgresEventStore, table: str) -> None:
    store.check_schema()
    with pool.connection() as connection:
        version = Identifier(f"{table}_schema_version")
        connection.execute(
            SQL("CREATE OR REPLACE FUNCTION {}() RETURNS integer LANGUAGE sql AS 'SELECT 999'").format(version)
        )
    for call in (store.check_schema, store.create_schema):
        with pytest.raises(SchemaOutdated, match="999"):
            call()


def test_a_sequence_that_hands_out_stocks_of_numbers_is_refused(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    with pool.connection() as connection:
        connection.execute(SQL("ALTER SEQUENCE {} CACHE 10").format(Identifier(f"{table}_sequence_number")))
    for call in (store.check_schema, store.create_schema):
        with pytest.raises(SchemaOutdated, match="CACHE 10"):
            call()
    with pool.connection() as connection:
        connection.execute(SQL("ALTER SEQUENCE {} CACHE 1").format(Identifier(f"{table}_sequence_number")))
    store.check_schema()


def test_all_that_belongs_to_a_store_lies_in_its_schema_and_begins_with_its_name(pool: Pool, namespace: str) -> None:
    PostgresEventStore(pool, f"{namespace}.log").create_schema()
    names = rows(
        pool,
        """
        SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s)
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace(%(schema)s)
        UNION ALL SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%(table)s)
        """,
        {"schema": namespace, "table": f"{namespace}.log"},
    )
    assert len(names) > 10
    assert [name for (name,) in names if name != "log" and not name.startswith("log_")] == []


def test_two_tables_in_one_database_are_two_stores(pool: Pool, namespace: str) -> None:
    """Also where the name of one begins with that of the other, or both have the same name in two schemas."""
    names = [f"{namespace}.log", f"{namespace}.log_2", f"log_{namespace}"]
    stores = [PostgresEventStore(pool, name) for name in names]
    for store in stores:
        store.create_schema()
    for store in stores:
        works(store)
    assert stores[0].append(event("Z")) == [4]
    assert [store.query(EVERYTHING).position for store in stores] == [4, 3, 3]
    assert len({TableName.parse(name).lock_key for name in names}) == 3


def test_an_append_does_not_wait_for_the_lock_of_another_store(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    other = PostgresEventStore(pool, f"other_{uuid7().hex[-12:]}", lock_timeout=0.2)
    other.create_schema()
    with pool.connection() as connection, connection.transaction(force_rollback=True):
        lock = (LOCK_NAMESPACE, TableName.parse(table).lock_key)
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock)
        assert other.append(event()) == [1]


def test_no_function_of_one_store_names_another(pool: Pool, namespace: str) -> None:
    for table in ("one", "two"):
        PostgresEventStore(pool, f"{namespace}.{table}").create_schema()
    functions = rows(pool, "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = to_regnamespace(%s)", [namespace])
    assert functions
    for name, source in functions:
        own, foreign = ("one", "two") if name.startswith("one_") else ("two", "one")
        assert f'"{namespace}"."{foreign}' not in source
        assert f"{namespace}.{foreign}" not in source
        assert "public" not in source
        keys = re.findall(r"pg_advisory_xact_lock\((-?\d+), (-?\d+)\)", source)
        expected = (str(LOCK_NAMESPACE), str(TableName.parse(f"{namespace}.{own}").lock_key))
        assert set(keys) <= {expected}


def test_the_lock_key_in_the_sql_file_is_that_of_the_name_in_all_four_places() -> None:
    script = (SCHEMA / "1_events.sql").read_text(encoding="utf-8")
    locks = re.findall(r"PERFORM pg_advisory_xact_lock\((.*)\);", script)
    assert locks == [f"{LOCK_NAMESPACE}, {TableName.parse('events').lock_key}"] * 4
    assert script.count(str(TableName.parse("events").lock_key)) == 4


def test_the_lock_key_of_a_name_never_changes() -> None:
    """Two versions of this package at work in one database must take the same lock."""
    assert LOCK_NAMESPACE == 1165382516
    assert TableName.parse("events").lock_key == -1479727618
    assert TableName.parse("archive.events").lock_key == 966617028


def test_the_files_for_a_database_container_are_those_of_the_package() -> None:
    packaged = {file.name: file.read_bytes() for file in SCHEMA.glob("*.sql")}
    assert packaged
    assert {file.name: file.read_bytes() for file in (ROOT / "initdb").iterdir()} == packaged


def test_the_files_run_as_they_stand_and_make_what_create_schema_makes(dsn: str) -> None:
    """As a database container runs them; in a database of their own, because the names are fixed."""
    with new_database(dsn) as by_files, new_database(dsn) as by_package:
        with psycopg.connect(by_files, autocommit=True) as connection:
            for file in sorted((ROOT / "initdb").iterdir()):
                connection.execute(file.read_bytes())
        with open_pool(by_package) as pool:
            PostgresEventStore(pool).create_schema()
        assert catalog(by_files) == catalog(by_package)
        with open_pool(by_files) as pool:
            store = PostgresEventStore(pool)
            store.check_schema()
            store.create_schema()
            works(store)
