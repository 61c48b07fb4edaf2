"""The app under its production server is asked to lend, and the log holds what it answered."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from benchmarks.disjoint_writers import audit
from benchmarks.http_result import REQUEST, TYPICAL_WORKLOAD, LendingOverHttp
from benchmarks.lending_over_http import Plan, measure
from benchmarks.sampling import WARM_UP_ROUNDS, Samples
from benchmarks.served_app import LibraryDatabase, database_name, library_database
from benchmarks.server import CannotMeasure
from benchmarks.stretches import Stretch, Stretches
from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from tests.benchmarks.publishing import published

EVENTS = 16 * 100
PLAN = Plan(rounds=3, clients=(1, 4), repetitions=1, seconds=0.05)


@pytest.fixture(scope="module")
def database(dsn: str) -> Iterator[LibraryDatabase]:
    """A database of the app, dropped at the end."""
    yield library_database(dsn, EVENTS)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database_name(EVENTS))))


@pytest.fixture(scope="module")
def measured(database: LibraryDatabase) -> LendingOverHttp:
    """One run, which all tests look at: the app takes a second to start."""
    ticks: list[None] = []
    result = measure(database, PLAN, lambda: ticks.append(None))
    assert len(ticks) == PLAN.steps
    return result


def test_every_request_is_answered(measured: LendingOverHttp) -> None:
    assert measured.errors == {1: {}, 4: {}}
    assert all(stretches.rate > 0 for stretches in measured.clients.values())
    assert [len(each.nanoseconds) for each in measured.samples.values()] == [PLAN.rounds] * 2


def test_each_copy_was_lent_and_returned_by_turns(measured: LendingOverHttp, database: LibraryDatabase) -> None:
    with open_pool(database.dsn) as pool:
        stored = PostgresEventStore(pool).query(FilterBuilder().matching_any_event()).events
        audit(PostgresEventStore(pool), EVENTS, len(stored) - EVENTS)
    lent_at_least = 2 * (PLAN.rounds + WARM_UP_ROUNDS) + sum(
        len(stretch.nanoseconds) for stretches in measured.clients.values() for stretch in stretches.all
    )
    assert len(stored) >= EVENTS + 2 * lent_at_least


def test_start_and_memory_are_told(measured: LendingOverHttp) -> None:
    assert measured.start_up > 0
    assert len(measured.memory) == 2  # workers, by default
    assert all(10 < megabytes < 1000 for megabytes in measured.memory)


def test_the_result_is_published(measured: LendingOverHttp, tmp_path: Path) -> None:
    _, document = published(measured, tmp_path)
    assert set(document["one_client"]) == {REQUEST, TYPICAL_WORKLOAD}
    assert document["clients"]["4"]["errors"] == {}


def test_a_database_that_is_there_is_used_again(database: LibraryDatabase, dsn: str) -> None:
    assert library_database(dsn, EVENTS).primed.reused


def test_a_history_with_too_few_copies_is_refused(database: LibraryDatabase) -> None:
    with pytest.raises(CannotMeasure, match="101 clients need as many copies"):
        measure(database, Plan(clients=(101,)))


def test_a_stretch_ends_when_every_copy_is_lent(database: LibraryDatabase) -> None:
    with pytest.raises(CannotMeasure, match="more --events, or fewer --seconds"):
        measure(database, Plan(rounds=1, clients=(8,), repetitions=1, seconds=30))


def test_the_budget_is_twice_the_workload_and_a_millisecond() -> None:
    samples = {
        REQUEST: Samples(REQUEST, (6_000_000,) * 20),
        TYPICAL_WORKLOAD: Samples(TYPICAL_WORKLOAD, (2_000_000,) * 20),
    }
    clients = {count: Stretches((Stretch(1, (1000,)),)) for count in (1, 64)}
    ratio, errors = LendingOverHttp(320, samples, clients, {1: {}, 64: {503: 2, 0: 1}}, 1.0, []).budget()
    assert (ratio.ratio, ratio.met) == (1.2, False)
    assert (errors.ratio, errors.met) == (3, False)
