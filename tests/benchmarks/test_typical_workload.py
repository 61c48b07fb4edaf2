"""Each thing that is measured does what its line in the table says, and leaves a valid log."""

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.floors import ROUND_TRIP
from benchmarks.priming import prime
from benchmarks.sampling import Measured, in_turns
from benchmarks.server import CannotMeasure
from benchmarks.typical_workload import (
    APPEND,
    APPEND_BEHIND,
    APPEND_TO_LONG_STREAM,
    BARE_INSERT,
    QUERY,
    ROWS_BY_KEY,
    TYPICAL_WORKLOAD,
    TypicalWorkload,
)
from eventstore import AppendCondition, ConcurrencyConflict, FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from tests.benchmarks.replay import replay

EVENTS = 16 * 20
READING = (ROUND_TRIP, ROWS_BY_KEY, QUERY)
WRITING = (BARE_INSERT, APPEND, APPEND_TO_LONG_STREAM, APPEND_BEHIND, TYPICAL_WORKLOAD)


@pytest.fixture
def workload(dsn: str, schema: str) -> Iterator[TypicalWorkload]:
    primed = prime(dsn, EVENTS, schema=schema)
    with open_pool(dsn, max_size=1) as pool:
        yield TypicalWorkload(pool, primed.table, primed.library)


def log(workload: TypicalWorkload) -> tuple[SequencedEvent, ...]:
    return PostgresEventStore(workload.pool, workload.table).query(FilterBuilder().matching_any_event()).events


def thing(workload: TypicalWorkload, name: str) -> Measured[Any, Any]:
    return next(each for each in workload.things() if each.name == name)


def test_everything_is_one_of_both() -> None:
    assert len({*READING, *WRITING}) == 8


@pytest.mark.parametrize("name", READING)
def test_reading_leaves_the_store_as_it_was(workload: TypicalWorkload, name: str) -> None:
    in_turns([thing(workload, name)], 3, warm_up=0)
    assert len(log(workload)) == EVENTS


@pytest.mark.parametrize("name", WRITING)
def test_what_is_lent_within_the_time_is_returned_after_it(workload: TypicalWorkload, name: str) -> None:
    measured = thing(workload, name)
    prepared = measured.prepare()
    result = measured.run(prepared)
    measured.check(prepared, result)
    stored = log(workload)
    assert [event.event_type for event in stored[EVENTS:]] == ["BookCopyLentToReader", "BookCopyReturnedByReader"]
    replay(decode(event) for event in stored)


def test_all_of_it_in_turns_leaves_a_valid_log(workload: TypicalWorkload) -> None:
    rounds = 3
    in_turns(workload.things(), rounds, warm_up=1)
    stored = log(workload)
    assert len(stored) == EVENTS + 2 * len(WRITING) * (rounds + 1)
    replay(decode(event) for event in stored)


def test_the_query_finds_the_events_of_the_boundary(workload: TypicalWorkload) -> None:
    in_turns([thing(workload, QUERY)], 5, warm_up=0)
    assert all(20 <= found <= 30 for found in workload.events_found)


def test_rows_by_key_are_the_rows_of_the_query(workload: TypicalWorkload) -> None:
    measured = thing(workload, ROWS_BY_KEY)
    raw = measured.prepare()
    rows = measured.run(raw)
    measured.check(raw, rows)
    queried = [
        (
            event.sequence_number,
            event.event_id,
            event.event_type,
            event.occurred_at.replace(tzinfo=None),
            event.payload.decode(),
            event.metadata.decode(),
        )
        for event in log(workload)
        if event.sequence_number in raw.what
    ]
    assert len(queried) >= 20
    assert rows == queried


@pytest.mark.parametrize("name", [APPEND, APPEND_TO_LONG_STREAM])
def test_the_condition_of_an_append_is_fresh_and_guards(workload: TypicalWorkload, name: str) -> None:
    prepared = thing(workload, name).prepare()
    loan, condition = prepared
    assert isinstance(condition, AppendCondition)
    assert condition.after == EVENTS
    store = PostgresEventStore(workload.pool, workload.table)
    store.append(loan.event, condition=condition)
    with pytest.raises(ConcurrencyConflict):
        store.append(workload.free_loan().event, condition=condition)


def test_the_long_stream_is_as_long_as_it_says(workload: TypicalWorkload) -> None:
    _, condition = thing(workload, APPEND_TO_LONG_STREAM).prepare()
    store = PostgresEventStore(workload.pool, workload.table)
    assert len(store.query(condition.filter)) == workload.long_stream


def test_a_hundred_events_are_newer_than_the_condition_of_the_append_behind(workload: TypicalWorkload) -> None:
    loan, condition = thing(workload, APPEND_BEHIND).prepare()
    assert loan.stream.position - condition.after == 100


def test_a_store_in_which_every_copy_is_lent_cannot_be_measured(workload: TypicalWorkload) -> None:
    store = PostgresEventStore(workload.pool, workload.table)
    for _ in workload.library.books:
        store.append(workload.free_loan().event)
    with pytest.raises(CannotMeasure, match="--fresh"):
        workload.free_loan()
