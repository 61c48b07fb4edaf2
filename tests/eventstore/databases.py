"""Databases and PostgreSQL schemas of a test's own, and what to find out about them."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from eventstore import ConcurrencyConflict, EventStore, uuid7
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import event, having, of_types, types_in_order
from tests.eventstore.test_schema_dump import program


@contextmanager
def new_database(dsn: str) -> Generator[str]:
    """The connection string of an empty database."""
    name = f"own_{uuid7().hex[-12:]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            yield make_conninfo(dsn, dbname=name)
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def catalog(dsn: str) -> list[str]:
    """All that the catalog knows of a database, as pg_dump says it: tables, functions, triggers, rights, owners."""
    dumped = subprocess.run(
        [program("pg_dump"), "--schema-only", f"--dbname={dsn}"], check=True, capture_output=True, text=True
    )
    # The key of \restrict is another one each time.
    return [line for line in dumped.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]


@contextmanager
def new_namespace(pool: Pool, name: str) -> Generator[str]:
    """A PostgreSQL schema."""
    with pool.connection() as connection:
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
    try:
        yield name
    finally:
        with pool.connection() as connection:
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))


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
