"""The playground of filters, as a page."""

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg.conninfo import make_conninfo

from eventstore import Filter, FilterBuilder, InMemoryEventStore, P, StorableEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool, where_clause
from library_app import Config, create_app
from library_app.glass.boundary import guard_in_words
from library_app.glass.explanation import TakesTooLong
from library_app.glass.explanation_postgres import PostgresExplains, open_playground, open_sessions
from slices.lending.lend_book_to_reader import decide
from slices.lending.lend_book_to_reader.command import LendBookToReader
from tests.library_app.conftest import NOON

LENT = FilterBuilder().matching().any_event_type_of("BookCopyLentToReader").finalize()
EVERYTHING = FilterBuilder().matching_any_event()


def examples(client: FlaskClient) -> dict[str, str]:
    found = re.findall(r'<a href="(/glass/boundary\?[^"]+)">([^<]+)</a>', client.get("/glass/boundary").text)
    return {name: html.unescape(address) for address, name in found}


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="place" href="/glass/events/(\d+)"', page)]


def appended(store: Any, *capacities: int) -> None:
    now = datetime(2026, 3, 14, tzinfo=UTC)
    for capacity in capacities:
        payload = json.dumps({"CourseID": "c", "Capacity": capacity}).encode()
        store.append(StorableEvent.build("CourseDefined", now, payload=payload))


def test_the_first_example_is_the_boundary_of_the_last_lending(
    demo_client: FlaskClient, seeded: InMemoryEventStore
) -> None:
    [lent] = seeded.query(LENT, limit=1, backwards=True)
    ids = json.loads(lent.payload)
    boundary = decide.boundary(LendBookToReader(ids["BookID"], ids["ReaderID"], lent.occurred_at))
    page = demo_client.get(examples(demo_client)["The boundary of a lending"]).text
    assert str(boundary) in html.unescape(page)
    assert boundary.hash() in page
    expected = seeded.query(boundary, limit=25, backwards=True)
    assert shown(page) == [event.sequence_number for event in expected]
    assert lent.sequence_number in shown(page)
    assert f"Read up to position {expected.position} in" in page


def test_every_example_finds_something(demo_client: FlaskClient) -> None:
    found = examples(demo_client)
    assert list(found) == ["The boundary of a lending", "The seats of a course", "All that was refused"]
    for address in found.values():
        answer = demo_client.get(address)
        assert answer.status_code == 200
        assert shown(answer.text)


def test_an_empty_log_has_no_example_about_ids(client: FlaskClient) -> None:
    assert list(examples(client)) == ["All that was refused"]
    page = client.get("/glass/boundary?everything=yes").text
    assert "No event is like that." in page
    assert "any event at all is committed after position 0." in page


def test_a_store_in_memory_says_that_it_has_no_sql(demo_client: FlaskClient) -> None:
    page = demo_client.get("/glass/boundary?type1=CourseDefined").text
    assert "there is neither SQL nor a plan" in page
    assert "EXPLAIN" not in page


@pytest.mark.parametrize(("direction", "numbers"), [("newest", [5, 4]), ("oldest", [2, 3])])
def test_what_is_not_shown_is_counted_within_the_bounds(
    client: FlaskClient, memory: InMemoryEventStore, direction: str, numbers: list[int]
) -> None:
    appended(memory, *range(6))
    address = f"/glass/boundary?type1=CourseDefined&sequence_number_higher_than=1&up_to=5&limit=2&direction={direction}"
    page = client.get(address).text
    assert shown(page) == numbers
    assert "2 events, and 2 more." in re.sub(r"\s+", " ", page)


def test_what_happens_between_reading_and_counting_is_not_counted(config: Config) -> None:
    class Busy(InMemoryEventStore):
        def query(self, filter: Filter, **options: Any) -> Any:
            found = super().query(filter, **options)
            appended(self, 0)
            return found

    store = Busy()
    appended(store, 1, 2, 3)
    client = create_app(store, config=config).test_client()
    page = client.get("/glass/boundary?type1=CourseDefined&limit=1&direction=oldest").text
    [position] = re.findall(r"Read up to position (\d+)", page)
    assert f"1 event, and {int(position) - 1} more." in re.sub(r"\s+", " ", page)


def test_beyond_a_hundred_nobody_counts(demo_client: FlaskClient) -> None:
    page = demo_client.get("/glass/boundary?everything=yes&limit=1").text
    assert "1 event, and more than 100 more." in re.sub(r"\s+", " ", page)


def test_the_whole_log_is_never_loaded(seeded: InMemoryEventStore, config: Config) -> None:
    limits: list[Any] = []

    class Watched(InMemoryEventStore):
        def query(self, filter: Filter, **options: Any) -> Any:
            limits.append(options.get("limit"))
            return seeded.query(filter, **options)

    client = create_app(Watched(), config=config).test_client()
    assert client.get("/glass/boundary?everything=yes&limit=50&direction=oldest").status_code == 200
    assert 50 in limits
    assert all(limit is not None and limit <= 101 for limit in limits)


def test_a_number_is_found_as_json(client: FlaskClient, memory: InMemoryEventStore) -> None:
    appended(memory, 7, 8)
    address = "/glass/boundary?key1_1=Capacity&value1_1=7&as1_1="
    assert shown(client.get(f"{address}json").text) == [1]
    assert shown(client.get(f"{address}text").text) == []


def test_a_refused_form_says_why_and_keeps_what_was_typed(demo_client: FlaskClient) -> None:
    answer = demo_client.get(
        "/glass/boundary?type1=CourseDefined&value1_1=a%22b&key2_1=<script>&as2_1=json&value2_1=no&limit=99&choice1=all"
    )
    assert answer.status_code == 422
    page = answer.text
    assert 'value="CourseDefined" checked>' in page
    assert 'value="all" checked>' in page
    assert 'value="a&#34;b"' in page
    assert 'value="&lt;script&gt;"' in page
    assert "<script>" not in page
    for field, value in (("key1_1", ""), ("value2_1", "no"), ("limit", "99")):
        assert f'value="{value}" aria-invalid="true" aria-describedby="{field}-error">' in page
        assert f'id="{field}-error">' in page
    assert "Nothing was looked up" in page
    assert not shown(page)


def test_a_field_that_is_not_there_is_named(demo_client: FlaskClient) -> None:
    answer = demo_client.get("/glass/boundary?type1=CourseDefined&colour=%3Cb%3E&%3Ci%3E=1")
    assert answer.status_code == 422
    assert "There is no field “&lt;i&gt;”." in answer.text


def test_the_page_holds_no_inline_script_or_style(demo_client: FlaskClient) -> None:
    page = demo_client.get(examples(demo_client)["The boundary of a lending"]).text
    for unwanted in ("<script>", " style=", "<style", " onclick=", "//cdn"):
        assert unwanted not in page


def test_a_sentence_says_what_a_guard_guards_against() -> None:
    store = InMemoryEventStore()
    appended(store, 1, 2, 3)
    of_course = FilterBuilder().matching().any_predicate_of(P("CourseID", "c")).finalize()
    assert "if an event that matches is committed after position 3." in guard_in_words(store.query(of_course))
    assert "if any event at all is committed after position 3." in guard_in_words(store.query(EVERYTHING))
    tail = guard_in_words(store.query(of_course.after_sequence_number(1)))
    assert "after position 3, even outside the bounds, which never narrow a guard." in tail
    for cut_off in (store.query(of_course, limit=2), store.query(of_course.as_of(2))):
        assert guard_in_words(cut_off).startswith("This read guards no append: the read")


@pytest.fixture
def playground(dsn: str, store: PostgresEventStore, table: str) -> Iterator[PostgresExplains]:
    """On the table of `store`."""
    with open_playground(dsn, table) as opened:
        yield opened


def test_postgresql_tells_its_sql_and_its_plan(
    store: PostgresEventStore, playground: PostgresExplains, config: Config
) -> None:
    appended(store, 7, 8)
    asked = FilterBuilder().matching().any_predicate_of(P("Capacity", 7)).finalize()
    explanation = playground.explain(asked, limit=5, backwards=True)
    assert explanation.condition == where_clause(asked)
    assert explanation.statement == store.sql(asked, limit=5, backwards=True)
    client = create_app(store, config=config, explains=playground).test_client()
    page = html.unescape(client.get("/glass/boundary?key1_1=Capacity&value1_1=7&as1_1=json&limit=5").text)
    assert shown(page) == [1]
    for part in (explanation.condition, explanation.statement, explanation.plan):
        assert part in page


ITEM = FilterBuilder().matching().any_event_type_of("CourseDefined").and_any_predicate_of(P("CourseID", "c"))


@pytest.mark.parametrize(
    "asked",
    [
        EVERYTHING,
        EVERYTHING.after_sequence_number(2).as_of(5),
        LENT,
        ITEM.finalize(),
        ITEM.or_matching().all_predicates_of(P("CourseID", "c"), P("Capacity", 7)).finalize().as_of(9),
        FilterBuilder().matching().any_event_type_of("A", "B").occurred_from(NOON).finalize(),
    ],
    ids=str,
)
def test_the_plan_is_the_one_by_which_the_store_answers(
    dsn: str, store: PostgresEventStore, table: str, playground: PostgresExplains, asked: Filter
) -> None:
    appended(store, *range(9))
    plan = playground.explain(asked, limit=5, backwards=True).plan
    with open_pool(dsn, max_size=1) as single:
        PostgresEventStore(single, table).query(asked, limit=5, backwards=True)
        with single.connection() as connection:  # in which that query was prepared
            mine = "FROM pg_prepared_statements WHERE statement LIKE %s"
            [(name, types)] = connection.execute(f"SELECT name, parameter_types {mine}", (f"%{table}%",), prepare=False)
            nothing = ", ".join("NULL" for _ in types)
            answer = connection.execute(f"EXPLAIN EXECUTE {name}" + (f" ({nothing})" if types else ""), prepare=False)
            used = [line for (line,) in answer]
    assert plan.split("\n") == used


@pytest.mark.parametrize("value", ["'; DROP TABLE events; --", "\\'; SELECT 1; --", "%s %(a)s %", "$1", "☃ \U0001f600"])
def test_a_value_is_never_taken_for_sql(store: PostgresEventStore, playground: PostgresExplains, value: str) -> None:
    asked = FilterBuilder().matching().any_predicate_of(P(value, value)).finalize()
    assert "payload @> $1" in playground.explain(asked, limit=1, backwards=False).plan
    assert store.query(EVERYTHING).position == 0


def test_the_sessions_of_the_playground_write_nothing(dsn: str, store: PostgresEventStore, table: str) -> None:
    with open_sessions(dsn) as pool, pytest.raises(StoreUnavailable, match="read-only"):
        appended(PostgresEventStore(pool, table), 1)
    assert store.query(EVERYTHING).position == 0


def test_the_sessions_of_the_playground_find_the_server_that_others_write_to(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    """libpq looks for it among several hosts, and would take a session that writes nothing for the wrong one."""
    appended(store, 1)
    with open_sessions(make_conninfo(dsn, target_session_attrs="read-write")) as pool:
        assert PostgresEventStore(pool, table).query(EVERYTHING).position == 1


def test_a_filter_that_takes_too_long_is_given_up_with_a_sentence(
    dsn: str, store: PostgresEventStore, table: str, config: Config
) -> None:
    appended(store, 7)
    not_for_ever = "-c idle_in_transaction_session_timeout=20s"
    with (
        open_playground(dsn, table, seconds=0.05) as playground,
        psycopg.connect(dsn, options=not_for_ever) as in_the_way,
    ):
        client = create_app(store, config=config, explains=playground).test_client()
        in_the_way.execute(f"LOCK TABLE {table}".encode())
        answer = client.get("/glass/boundary?type1=CourseDefined")
        assert answer.status_code == 503
        assert "It takes too long to look this filter up just now, so we stopped." in html.unescape(answer.text)
        assert answer.headers["Retry-After"] == "2"
        with pytest.raises(TakesTooLong):
            playground.explain(LENT, limit=5, backwards=True)
        in_the_way.rollback()
        assert shown(client.get("/glass/boundary?type1=CourseDefined").text) == [1]
