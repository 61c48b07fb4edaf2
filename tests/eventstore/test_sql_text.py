"""Filters and queries as SQL for people: it can be pasted into psql, and finds what the store finds."""

from datetime import timedelta
from typing import Any

import pytest

from eventstore import Filter, FilterBuilder, P
from eventstore.postgres import PostgresEventStore, where_clause
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING, NOON, STRANGE_TEXTS, event, having, of_types

START = FilterBuilder().matching()
LENT_OF_EITHER = START.any_event_type_of("Lent", "Returned").and_any_predicate_of(P("Book", 1), P("Reader", "Ann"))
FILTERS = [
    EVERYTHING,
    of_types("Lent"),
    of_types("Lent", "Returned"),
    having("Book", 1),
    START.any_predicate_of(P("Book", 1), P("Reader", "Ann")).sequence_number_higher_than(2).finalize(),
    START.all_predicates_of(P("Book", 1), P("Reader", "Ann")).finalize(),
    LENT_OF_EITHER.finalize(),
    LENT_OF_EITHER.or_matching().any_event_type_of("Added").up_to(4).finalize(),
    LENT_OF_EITHER.or_matching().all_predicates_of(P("Book", 2), P("Reader", "Bob")).occurred_from(NOON).finalize(),
    FilterBuilder().occurred_from(NOON + timedelta(hours=1)).occurred_until(NOON + timedelta(hours=3)).finalize(),
]


@pytest.fixture
def lending(store: PostgresEventStore) -> PostgresEventStore:
    types = ("Added", "Lent", "Returned", "Lent", "Added", "Returned")
    payloads = ('{"Book": 1, "Reader": "Ann"}', '{"Book": 2, "Reader": "Bob"}', '{"Book": 1}', '{"Reader": "Ann"}')
    for hour, event_type in enumerate(types):
        store.append(event(event_type, payloads[hour % 4], NOON + timedelta(hours=hour)))
    return store


def rows(pool: Pool, text: str) -> list[tuple[Any, ...]]:
    with pool.connection() as connection:
        return connection.execute(text.encode()).fetchall()


@pytest.mark.parametrize("filter", FILTERS, ids=str)
def test_the_condition_of_a_filter_finds_the_same_rows(
    pool: Pool, lending: PostgresEventStore, table: str, filter: Filter
) -> None:
    found = rows(pool, f"SELECT sequence_number FROM {table} WHERE {where_clause(filter)} ORDER BY 1")
    expected = [(stored.sequence_number,) for stored in lending.query(filter)]
    assert found == expected
    assert expected


@pytest.mark.parametrize("filter", FILTERS, ids=str)
@pytest.mark.parametrize(("limit", "backwards"), [(None, False), (2, False), (None, True), (1, True)])
def test_the_statement_of_a_query_can_be_pasted_into_psql(
    pool: Pool, lending: PostgresEventStore, filter: Filter, limit: int | None, backwards: bool
) -> None:
    text = lending.sql(filter, limit=limit, backwards=backwards)
    found = [(row[0], row[1]) for row in rows(pool, text)]
    expected = lending.query(filter, limit=limit, backwards=backwards)
    assert found == [(expected.position, stored.sequence_number) for stored in expected]
    assert "%s" not in text
    assert "\n\n" not in text


def test_strange_texts_are_quoted(pool: Pool, store: PostgresEventStore, table: str) -> None:
    for text in STRANGE_TEXTS:
        [number] = store.append(event(text, P(text, text).pattern))
        wanted = START.any_event_type_of(text, "Other").and_any_predicate_of(P(text, text), P("K", text)).finalize()
        assert rows(pool, f"SELECT sequence_number FROM {table} WHERE {where_clause(wanted)}") == [(number,)]
        assert [row[1] for row in rows(pool, store.sql(wanted))] == [number]


def test_a_condition_reads_like_its_filter() -> None:
    assert where_clause(EVERYTHING) == "true"
    assert where_clause(of_types("Lent")) == "event_type = 'Lent'"
    assert where_clause(LENT_OF_EITHER.or_matching().any_event_type_of("Added").up_to(4).finalize()) == (
        "(event_type IN ('Lent', 'Returned') AND "
        """(payload @> '{"Book": 1}' OR payload @> '{"Reader": "Ann"}')\n"""
        " OR event_type = 'Added')\n"
        "AND sequence_number <= 4"
    )
