"""An events table may have any name that needs no quotes, key words included, in any schema."""

from pathlib import Path

import pytest

from eventstore import uuid7
from eventstore.postgres import PostgresEventStore, schema
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import TableName, for_table
from tests.eventstore.databases import new_namespace, works
from tests.eventstore.examples import event, types_in_order
from tests.eventstore.older_schemas import OLDER_VERSIONS, create_older_schema

SCHEMA = Path(schema.__file__).parent


def test_a_store_may_have_any_table_name_in_any_schema(pool: Pool) -> None:
    with new_namespace(pool, f"school_{uuid7().hex[-12:]}") as namespace:
        for table in ("events", "log", "events_2", "my_events", "user", "select", "into", "_", "x" * 38):
            store = PostgresEventStore(pool, f"{namespace}.{table}")
            store.create_schema()
            works(store)


@pytest.mark.parametrize("word", ["order", "between", "values", "select", "into", "events", "null", "all"])
def test_a_schema_and_a_table_may_be_named_by_key_words(pool: Pool, word: str) -> None:
    """One of each kind that the parser tells apart, and PL/pgSQL's own."""
    with new_namespace(pool, word):
        for table in (word, "log"):
            store = PostgresEventStore(pool, f"{word}.{table}")
            store.create_schema()
            works(store)
            store.check_schema()
        for version in OLDER_VERSIONS:
            with pool.connection() as connection:
                create_older_schema(connection, version, f"{word}.older_{version}")
            older = PostgresEventStore(pool, f"{word}.older_{version}")
            older.upgrade_schema()
            works(older)


def test_the_scripts_for_the_default_table_are_the_files_as_they_stand() -> None:
    for file in SCHEMA.rglob("*.sql"):
        script = file.read_text(encoding="utf-8")
        assert for_table(script, TableName.parse("events")) == script
        assert for_table(script, TableName.parse("events_2")) != script


@pytest.mark.parametrize("beginning", ["events_", "public_events_", "my_events_", "_"])
def test_the_name_of_a_schema_may_look_like_those_in_the_files(pool: Pool, beginning: str) -> None:
    with new_namespace(pool, f"{beginning}{uuid7().hex[-12:]}") as namespace:
        for table in ("events", "log"):
            store = PostgresEventStore(pool, f"{namespace}.{table}")
            store.create_schema()
            works(store)


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
