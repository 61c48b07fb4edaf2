"""Each append that is measured writes what it says, guarded by what it says, and leaves a valid log."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from benchmarks.append import APPEND_OF_FIVE, BARE_INSERT_OF_FIVE, UNCONDITIONAL, Appending, measure
from benchmarks.floors import ROUND_TRIP
from benchmarks.priming import PrimedStore, prime
from benchmarks.sampling import Measured, in_turns
from benchmarks.server import CannotMeasure
from benchmarks.typical_workload import APPEND, BARE_INSERT
from eventstore import ConcurrencyConflict, FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.codec import decode
from tests.benchmarks.replay import replay

EVENTS = 16 * 20


@pytest.fixture
def primed(dsn: str, schema: str) -> PrimedStore:
    return prime(dsn, EVENTS, schema=schema)


@pytest.fixture
def appending(own_pool: Pool, primed: PrimedStore) -> Appending:
    return Appending(own_pool, primed)


def log(pool: Pool, primed: PrimedStore) -> tuple[SequencedEvent, ...]:
    return PostgresEventStore(pool, primed.table).query(FilterBuilder().matching_any_event()).events


def thing(appending: Appending, name: str) -> Measured[Any, Any]:
    return next(each for each in appending.things() if each.name == name)


@pytest.mark.parametrize(
    ("name", "count"),
    [(BARE_INSERT, 1), (UNCONDITIONAL, 1), (APPEND, 1), (BARE_INSERT_OF_FIVE, 5), (APPEND_OF_FIVE, 5)],
)
def test_so_many_copies_are_lent_within_the_time_and_returned_after_it(
    appending: Appending, own_pool: Pool, primed: PrimedStore, name: str, count: int
) -> None:
    in_turns([thing(appending, name)], 1, warm_up=0)
    written = [decode(event) for event in log(own_pool, primed)[EVENTS:]]
    assert [event.TYPE for event in written] == ["BookCopyLentToReader"] * count + ["BookCopyReturnedByReader"] * count
    assert len({getattr(event, "book_id", "") for event in written}) == count


def test_all_of_it_in_turns_leaves_a_valid_log(own_pool: Pool, primed: PrimedStore) -> None:
    rounds: list[int] = []
    result = measure(own_pool, primed, 2, lambda: rounds.append(1), warm_up=1)
    stored = log(own_pool, primed)
    assert len(stored) == EVENTS + len(rounds) * 2 * (3 * 1 + 3 * 5)
    replay(decode(event) for event in stored)
    assert {len(each.nanoseconds) for each in result.samples.values()} == {2}
    assert set(result.floors) == {ROUND_TRIP, BARE_INSERT, BARE_INSERT_OF_FIVE}
    assert [line.what for line in result.budget()] == [f"{APPEND} : {BARE_INSERT}"]


@pytest.mark.parametrize("name", [APPEND, APPEND_OF_FIVE])
def test_what_happens_to_any_of_the_copies_or_to_the_reader_stops_a_guarded_append(
    appending: Appending, own_pool: Pool, primed: PrimedStore, name: str
) -> None:
    measured = thing(appending, name)
    armful = measured.prepare()
    somebody_elses = replace(armful.loans[-1].event, event_id=uuid4())
    PostgresEventStore(own_pool, primed.table).append(somebody_elses)
    with pytest.raises(ConcurrencyConflict):
        measured.run(armful)


def test_an_append_without_condition_is_stopped_by_nothing_but_tells_that_it_was_not_alone(
    appending: Appending, own_pool: Pool, primed: PrimedStore
) -> None:
    measured = thing(appending, UNCONDITIONAL)
    armful, other = measured.prepare(), measured.prepare()
    PostgresEventStore(own_pool, primed.table).append(*other.events)
    numbers = measured.run(armful)
    with pytest.raises(CannotMeasure, match="somebody else"):
        measured.check(armful, numbers)


def test_five_copies_are_not_found_where_there_are_four(own_pool: Pool, dsn: str, schema: str) -> None:
    small = Appending(own_pool, prime(dsn, 16 * 4, schema=schema))
    with pytest.raises(CannotMeasure, match="no 5 copies"):
        thing(small, APPEND_OF_FIVE).prepare()
