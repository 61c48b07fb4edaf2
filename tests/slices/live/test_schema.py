"""The tables of live models: who makes them, who owns them, and what an application's role needs."""

import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from eventstore import SchemaMissing
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel
from slices.live.reading import Reading
from slices.live.rebuilding import rebuild
from slices.live.runner import LiveRunner
from slices.live.schema import check_tables, create_tables
from tests.eventstore.databases import new_namespace
from tests.eventstore.faults import ask
from tests.eventstore.subscriptions.following import NEVER, eventually
from tests.slices.live.counting import (
    BOUNDARY,
    MODEL,
    append,
    count,
    counted,
    counting,
    is_right,
    lent,
    reached,
    tables,
)


def test_tables_may_be_created_again_and_at_once(dsn: str, store: PostgresEventStore, pool: Pool, table: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(create_tables, pool, MODEL, table) for _ in range(8)]:
            done.result()
    store.append(lent())
    with LiveRunner(MODEL, store, dsn, table):
        is_right(LiveAnswers(pool, table), store)
    create_tables(pool, counting(version=2), table)
    assert counted(LiveAnswers(pool, table)) == {"BookCopyLentToReader": 1}
    assert LiveAnswers(pool, table).status(MODEL).version == 1
    assert tables(dsn, table) == [f"{table}_counting_1"]


def test_a_first_generation_has_its_indexes(dsn: str, table: str, live: LiveAnswers) -> None:
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    assert ask(dsn, indexes, f"{table}_counting_1") == 2


def test_several_models_lie_beside_each_other(
    dsn: str, store: PostgresEventStore, pool: Pool, table: str, live: LiveAnswers
) -> None:
    second = counting(name="counting_too")
    create_tables(pool, second, table)
    store.append(lent())
    with LiveRunner(MODEL, store, dsn, table), LiveRunner(second, store, dsn, table):
        is_right(live, store)
        is_right(live, store, second)
    rebuild(second, Reading(store), dsn, table)
    assert (live.status(MODEL).generation, live.status(second).generation) == (1, 2)


@pytest.mark.parametrize("drop", ["{table}_live_models", "{table}_counting_1"])
def test_missing_tables_are_told_at_the_start_and_made_anew(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, drop: str
) -> None:
    store.append(lent())
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)
    check_tables(live.pool, MODEL, table)
    with psycopg.connect(dsn) as connection:
        connection.execute(SQL("DROP TABLE {}").format(Identifier(drop.format(table=table))))
    with pytest.raises(SchemaMissing):
        check_tables(live.pool, MODEL, table)
    create_tables(live.pool, MODEL, table)
    check_tables(live.pool, MODEL, table)
    assert counted(live) == {}
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)


def test_a_model_that_was_never_made_is_told_at_the_start(pool: Pool, table: str, live: LiveAnswers) -> None:
    with pytest.raises(SchemaMissing, match="counting_too"):
        check_tables(pool, counting(name="counting_too"), table)


def test_names_may_be_key_words(dsn: str, pool: Pool) -> None:
    with new_namespace(pool, f"order_{uuid.uuid4().hex[:8]}") as namespace:
        table = f"{namespace}.select"
        store = PostgresEventStore(pool, table, poll_interval=NEVER)
        store.create_schema()
        create_tables(pool, MODEL, table)
        check_tables(pool, MODEL, table)
        store.append(lent())
        with LiveRunner(MODEL, store, dsn, table):
            is_right(LiveAnswers(pool, table), store)
            rebuild(MODEL, Reading(store), dsn, table)
            reached(LiveAnswers(pool, table), append(store, lent()))


@pytest.mark.parametrize(
    "name", ["", "Search", "book-search", "book search", "_search", "sixteen_letters_", 'a"b', "a1"]
)
def test_a_name_that_tables_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="named by at most 15 letters"):
        counting(name=name)


@pytest.mark.parametrize("version", [0, -1])
def test_versions_begin_with_one(version: int) -> None:
    with pytest.raises(ValueError, match="versions begin with 1"):
        LiveModel("counting", version, BOUNDARY, "", "", count)


@pytest.fixture
def role(dsn: str) -> Generator[str]:
    """A role of an application, which may do nothing yet."""
    name = f"application_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        yield name
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def test_the_rights_in_the_readme_are_those_that_are_tested_here() -> None:
    text = RIGHTS.format(models="events_live_models", rows="events_book_search_1", role="library")
    assert f"```sql\n{text};\n```\n" in (Path(__file__).parents[3] / "library_app/README.md").read_text(
        encoding="utf-8"
    )


RIGHTS: LiteralString = "GRANT SELECT, INSERT, UPDATE, DELETE ON {models}, {rows} TO {role}"


def give(dsn: str, store: PostgresEventStore, table: str, role: str) -> str:
    """What README.md of library_app says that a role needs; returns how to connect as this role."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(store.grants_for(role).encode())
        connection.execute(
            SQL(RIGHTS).format(
                models=Identifier(f"{table}_live_models"), rows=Identifier(f"{table}_counting_1"), role=Identifier(role)
            )
        )
    return make_conninfo(dsn, options=f"-c role={role}")


def test_a_role_needs_no_right_to_create_to_keep_a_model_up_to_date_and_keeps_its_rights_through_a_rebuild(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, role: str
) -> None:
    as_role = give(dsn, store, table, role)
    with open_pool(as_role) as own:
        application = PostgresEventStore(own, table, poll_interval=NEVER)
        answers = LiveAnswers(own, table)
        with LiveRunner(MODEL, application, as_role, table):
            for _ in range(2):
                application.append(lent())
                is_right(answers, application)
                rebuild(MODEL, Reading(store), dsn, table)
            application.append(lent())
            is_right(answers, application)


def test_a_role_that_may_not_create_tables_leaves_a_new_version_to_the_owner(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, role: str
) -> None:
    as_role = give(dsn, store, table, role)
    with open_pool(as_role) as own:
        application = PostgresEventStore(own, table, poll_interval=NEVER)
        with LiveRunner(counting(version=2), application, as_role, table):
            eventually(lambda: "permission denied" in (live.status(MODEL).stopped_because or ""), "it is told")
            assert counted(LiveAnswers(own, table)) == {}


def test_new_rows_belong_to_whom_the_positions_belong_to(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, role: str
) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(Identifier(role)))
        for name in (f"{table}_live_models", f"{table}_counting_1"):
            connection.execute(SQL("ALTER TABLE {} OWNER TO {}").format(Identifier(name), Identifier(role)))
    rebuild(MODEL, Reading(store), dsn, table)
    owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = %s"
    assert ask(dsn, owner, f"{table}_counting_2") == role
    assert tables(dsn, table) == [f"{table}_counting_2"]
