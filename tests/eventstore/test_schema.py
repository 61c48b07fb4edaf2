"""The schema: made once by whoever comes first, refused where it is missing or changed, of any name, one store each."""

import re
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import AppendCondition, ConcurrencyConflict, EventStore, SchemaMissing, SchemaOutdated, uuid7
from eventstore.postgres import PostgresEventStore, open_pool, schema
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import LOCK_NAMESPACE, TableName
from tests.eventstore.examples import EVERYTHING, event, having, of_types, types_in_order

ROOT = Path(__file__).parents[2]
SCHEMA = Path(schema.__file__).parent


@pytest.fixture
def namespace(pool: Pool) -> Generator[str]:
    """A PostgreSQL schema of its own."""
    with created(pool, f"school_{uuid7().hex[-12:]}") as name:
        yield name


@contextmanager
def created(pool: Pool, name: str) -> Generator[str]:
    with pool.connection() as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
    try:
        yield name
    finally:
        with pool.connection() as connection:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


def rows(pool: Pool, question: Any, parameters: Any) -> list[tuple[Any, ...]]:
    with pool.connection() as connection:
        return connection.execute(question, parameters).fetchall()


def works(store: EventStore) -> None:
    """Append, query, guard and retry do what they should in an empty store."""
    first = event("A", '{"K": 1}')
    condition = store.query(having("K", 1)).append_condition
    assert store.append(first, condition=condition) == [1]
    assert store.append(first, condition=condition) == [1]
    for batch in ([event("A")], [event("A"), event("B")]):
        with pytest.raises(ConcurrencyConflict):
            store.append(*batch, condition=condition)
    assert store.append(event("B"), event("C")) == [2, 3]
    assert types_in_order(store) == ["A", "B", "C"]
    assert [found.sequence_number for found in store.query(of_types("C"), limit=1)] == [3]


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


def test_a_table_without_its_functions_is_a_missing_schema(pool: Pool, table: str) -> None:
    with pool.connection() as connection:
        connection.execute(SQL("CREATE TABLE {} (sequence_number bigint)").format(Identifier(table)))
    store = PostgresEventStore(pool, table)
    for call in (store.check_schema, store.create_schema, lambda: store.append(event())):
        with pytest.raises(SchemaMissing):
            call()


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


def test_a_store_may_have_any_table_name_in_any_schema(pool: Pool, namespace: str) -> None:
    for table in ("events", "log", "events_2", "my_events", "user", "select", "_", "x" * 38):
        store = PostgresEventStore(pool, f"{namespace}.{table}")
        store.create_schema()
        works(store)


@pytest.mark.parametrize("beginning", ["events_", "public_events_", "my_events_", "_"])
def test_the_name_of_a_schema_may_look_like_those_in_the_files(pool: Pool, beginning: str) -> None:
    with created(pool, f"{beginning}{uuid7().hex[-12:]}") as namespace:
        for table in ("events", "log"):
            store = PostgresEventStore(pool, f"{namespace}.{table}")
            store.create_schema()
            works(store)


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


def test_a_name_of_the_greatest_length_is_not_cut_off(pool: Pool) -> None:
    name = "t" + uuid7().hex + "_234567"
    assert len(name) == 40
    store = PostgresEventStore(pool, name)
    store.create_schema()
    works(store)


def test_an_unqualified_name_means_the_schema_public(pool: Pool, table: str) -> None:
    assert TableName.parse(table) == TableName("public", table) == TableName.parse(f"public.{table}")
    PostgresEventStore(pool, table).create_schema()
    PostgresEventStore(pool, f"public.{table}").append(event("A"))
    assert types_in_order(PostgresEventStore(pool, table)) == ["A"]


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
        assert f"{namespace}.{foreign}" not in source
        assert "public." not in source
        keys = re.findall(r"pg_advisory_xact_lock\((-?\d+), (-?\d+)\)", source)
        expected = (str(LOCK_NAMESPACE), str(TableName.parse(f"{namespace}.{own}").lock_key))
        assert set(keys) <= {expected}


REFUSED_NAMES = [
    *(
        "",
        ".",
        "a.",
        ".a",
        "a.b.c",
        "Events",
        "événements",
        "1events",
        "my-events",
        "my events",
        "events;",
        "a\n",
        "a$",
    ),
    *('"events"', "events--", "o'brien", "%s", "{}", "a" * 41, "a" * 41 + ".b", "a" * 32 + "." + "b" * 31),
]


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_a_name_that_would_need_quotes_or_be_cut_off_is_refused(pool: Pool, name: str) -> None:
    for refuse in (TableName.parse, lambda name: PostgresEventStore(pool, name)):
        with pytest.raises(ValueError, match="cannot name an events table"):
            refuse(name)


def test_the_lock_key_in_the_sql_file_is_that_of_the_name_in_all_three_places() -> None:
    script = (SCHEMA / "1_events.sql").read_text(encoding="utf-8")
    locks = re.findall(r"PERFORM pg_advisory_xact_lock\((.*)\);", script)
    assert locks == [f"{LOCK_NAMESPACE}, {TableName.parse('events').lock_key}"] * 3
    assert script.count(str(TableName.parse("events").lock_key)) == 3


def test_the_lock_key_of_a_name_never_changes() -> None:
    """Two versions of this package at work in one database must take the same lock."""
    assert LOCK_NAMESPACE == 1165382516
    assert TableName.parse("events").lock_key == -1479727618
    assert TableName.parse("archive.events").lock_key == 966617028


def test_the_files_for_a_database_container_are_those_of_the_package() -> None:
    packaged = {file.name: file.read_bytes() for file in SCHEMA.glob("*.sql")}
    assert packaged
    assert {file.name: file.read_bytes() for file in (ROOT / "initdb").iterdir()} == packaged


def test_the_files_name_the_default_table_and_run_as_they_stand(pool: Pool, dsn: str) -> None:
    """As a database container runs them; in a database of its own, because the names are fixed."""
    name = f"fresh_{uuid7().hex[-12:]}"
    with pool.connection() as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        fresh = psycopg.conninfo.make_conninfo(dsn, dbname=name)
        with psycopg.connect(fresh, autocommit=True) as connection:
            for file in sorted((ROOT / "initdb").iterdir()):
                connection.execute(file.read_bytes())
        with open_pool(fresh) as fresh_pool:
            store = PostgresEventStore(fresh_pool)
            store.check_schema()
            store.create_schema()
            works(store)
    finally:
        with pool.connection() as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
