"""Each query that is measured finds what its line says, and its floor fetches the very same rows."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from benchmarks.long_streams import LongStreams
from benchmarks.output import print_budget
from benchmarks.priming import PrimedSchool, PrimedStore, prime
from benchmarks.query import BOUNDARY, NEWEST, ONE, Querying, all_rounds, floor_of, measure
from benchmarks.sampling import Measured
from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool

EVENTS = 16 * 20


@pytest.fixture
def primed(dsn: str, schema: str) -> PrimedStore:
    return prime(dsn, EVENTS, schema=schema)


def thing(own_pool: Pool, primed: PrimedStore, name: str) -> Measured[Any, Any]:
    return next(each for each in Querying(own_pool, primed).things() if each.name == name)


@pytest.mark.parametrize(("name", "fewest", "most"), [(BOUNDARY, 20, 30), (ONE, 1, 1), (NEWEST, 1, 1)])
def test_a_query_finds_as_much_as_it_says(
    own_pool: Pool, primed: PrimedStore, name: str, fewest: int, most: int
) -> None:
    measured = thing(own_pool, primed, name)
    question = measured.prepare()
    found = measured.run(question)
    measured.check(question, found)
    assert fewest <= len(found) <= most


def test_the_newest_loan_is_the_last_of_all_loans_of_a_copy(own_pool: Pool, primed: PrimedStore) -> None:
    measured = thing(own_pool, primed, NEWEST)
    question = measured.prepare()
    all_loans = PostgresEventStore(own_pool, primed.table).query(question.filter).events
    assert len(all_loans) == 7
    assert measured.run(question).events == (all_loans[-1],)


def test_the_streams_are_as_long_as_they_say(own_pool: Pool, school: PrimedSchool) -> None:
    streams = LongStreams(own_pool, school)
    for length in (1, 10, 100):
        measured = streams.query("a stream", length)
        assert len(measured.run(measured.prepare())) == length
        floor = streams.rows_by_key("its rows", length)
        raw = floor.prepare()
        rows = floor.run(raw)
        floor.check(raw, rows)
        assert len(rows) == length


def test_all_of_it_in_turns_changes_nothing(own_pool: Pool, primed: PrimedStore, school: PrimedSchool) -> None:
    rounds: list[int] = []
    result = measure(own_pool, primed, school, 5, lambda: rounds.append(1), warm_up=1)
    assert len(rounds) == all_rounds(5, warm_up=1)
    everything = FilterBuilder().matching_any_event()
    assert len(PostgresEventStore(own_pool, primed.table).query(everything)) == EVENTS
    assert len(PostgresEventStore(own_pool, school.table).query(everything)) == school.school.events
    assert [line.what for line in result.budget()] == [f"{BOUNDARY} : {floor_of(BOUNDARY)}"]
    paper = Console(file=StringIO(), width=90)  # a range of so few rounds may be wide
    print_budget(paper, result.budget())
    assert isinstance(paper.file, StringIO)
    [row] = [line for line in paper.file.getvalue().splitlines() if BOUNDARY in line]
    assert floor_of(BOUNDARY) in row  # not broken over two lines
    assert len(result.samples) == 1 + 2 * 5
    assert all(comparison.floors == (floor_of(comparison.thing),) for comparison in result.comparisons)
