"""Many writers: every append is guarded and wins, the floor is another table, and the audit sees what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.concurrency import Plan, measure
from benchmarks.concurrency_result import Concurrency
from benchmarks.disjoint_writers import APART, COMBINED, FLOOR, Work, audit, shared_out, work
from benchmarks.library_log import Pair
from benchmarks.loans import storable
from benchmarks.priming import PrimedStore, prime
from benchmarks.server import CannotMeasure
from benchmarks.stretches import Stretch, Stretches
from benchmarks.twin import Copies, copies_of
from eventstore import FilterBuilder, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from tests.benchmarks.publishing import published
from tests.benchmarks.replay import replay

EVENTS = 16 * 20
_INDEXES = "(SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass)"
_TRIGGERS = "(SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass)"
SHORT = Plan(writers=(1, 3), repetitions=1, seconds=0.03)


@pytest.fixture
def primed(dsn: str, schema: str) -> PrimedStore:
    return prime(dsn, EVENTS, schema=schema)


@pytest.fixture
def copies(dsn: str, primed: PrimedStore) -> Iterator[Copies]:
    with copies_of(dsn, primed.table) as made:
        yield made


@pytest.fixture
def store(dsn: str, copies: Copies) -> Iterator[PostgresEventStore]:
    with open_pool(dsn, max_size=1) as pool:
        yield PostgresEventStore(pool, copies.store)


def log(store: PostgresEventStore) -> tuple[SequencedEvent, ...]:
    return store.query(FilterBuilder().matching_any_event()).events


def schemas(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
    return {name for (name,) in rows}


@pytest.mark.parametrize("line", [FLOOR, COMBINED, APART])
def test_only_the_floor_goes_around_the_store(
    dsn: str, primed: PrimedStore, copies: Copies, store: PostgresEventStore, line: str
) -> None:
    pairs = tuple(map(Pair, primed.library.books[:2], primed.library.readers[:2]))
    done = work(Work(dsn, copies, line, pairs, 0.02))
    with psycopg.connect(dsn) as connection:
        row = connection.execute(f"SELECT count(*) FROM {copies.twin}".encode()).fetchone()
    assert row is not None
    assert (row[0] > EVENTS) == (line == FLOOR)
    assert (done.appended == 0) == (line == FLOOR)
    stored = log(store)
    assert len(stored) == EVENTS + done.appended
    replay(decode(event) for event in stored)


def test_every_append_is_acknowledged_and_read_back(dsn: str, primed: PrimedStore, copies: Copies) -> None:
    ticks: list[None] = []
    result = measure(dsn, primed, copies, SHORT, lambda: ticks.append(None))
    assert len(ticks) == SHORT.stretches
    assert set(result.disjoint) == {(line, count) for line in (FLOOR, COMBINED, APART) for count in (1, 3)}
    in_time = sum(len(each.nanoseconds) for line in (COMBINED, APART) for each in result.disjoint[line, 3].all)
    assert 0 < in_time < result.audited


def test_no_guard_of_contended_writers_is_lost(dsn: str, primed: PrimedStore, copies: Copies) -> None:
    result = measure(dsn, primed, copies, SHORT)
    assert list(result.contended) == [3]
    assert result.contended[3].lost_guards == 0
    assert result.contended[3].accepted_in_all > 0


def test_the_twin_has_the_rows_and_indexes_and_no_trigger(dsn: str, copies: Copies, store: PostgresEventStore) -> None:
    store.check_schema()

    def of(table: str) -> tuple[Any, ...]:
        statement = f"SELECT {_INDEXES}, {_TRIGGERS}, max(sequence_number), count(*) FROM {table}"
        with psycopg.connect(dsn) as connection:
            [row] = connection.execute(statement.encode(), [table, table]).fetchall()
        return row

    indexes, triggers, head, rows = of(copies.store)
    assert (head, rows) == (EVENTS, EVENTS)
    assert triggers > 0
    assert of(copies.twin) == (indexes, 0, head, rows)


def test_no_copy_is_left(dsn: str, primed: PrimedStore) -> None:
    before = schemas(dsn)
    with copies_of(dsn, primed.table):
        assert len(schemas(dsn) - before) == 1
    assert schemas(dsn) == before


def test_writers_of_several_processes_start_together(dsn: str, primed: PrimedStore, copies: Copies) -> None:
    result = measure(dsn, primed, copies, Plan(writers=(1, 2), repetitions=1, seconds=0.02, processes=2))
    assert result.processes == 2
    assert all(stretches.rate > 0 for stretches in result.disjoint.values())


def test_pairs_are_shared_out_evenly() -> None:
    pairs = [Pair(str(number), "") for number in range(5)]
    assert [len(share) for share in shared_out(pairs, 2)] == [3, 2]
    assert shared_out(pairs[:1], 3) == [(pairs[0],), (), ()]


def test_the_audit_misses_an_event_that_was_acknowledged(store: PostgresEventStore) -> None:
    with pytest.raises(AssertionError, match="1 events were acknowledged, and 0 are stored"):
        audit(store, EVENTS, 1)


def test_the_audit_sees_a_copy_that_was_lent_twice(primed: PrimedStore, store: PostgresEventStore) -> None:
    book, (first, second, *_) = primed.library.books[0], primed.library.readers
    for reader in (first, second):
        store.append(storable(BookCopyLentToReader(book, reader, occurred_at=datetime.now(UTC))))
    with pytest.raises(AssertionError, match="was lent twice"):
        audit(store, EVENTS, 2)


def test_the_audit_sees_what_was_returned_and_not_lent(primed: PrimedStore, store: PostgresEventStore) -> None:
    returned = BookCopyReturnedByReader(
        primed.library.books[0], primed.library.readers[0], occurred_at=datetime.now(UTC)
    )
    store.append(storable(returned))
    with pytest.raises(AssertionError, match="returned and not lent"):
        audit(store, EVENTS, 1)


def test_a_store_with_too_few_copies_is_refused(dsn: str, primed: PrimedStore, copies: Copies) -> None:
    with pytest.raises(CannotMeasure, match="64 writers need as many copies"):
        measure(dsn, primed, copies, Plan(writers=(64,)))


def test_the_result_is_published(dsn: str, primed: PrimedStore, copies: Copies, tmp_path: Path) -> None:
    printed, document = published(measure(dsn, primed, copies, SHORT), tmp_path)
    assert "Every append won" in printed
    assert set(document["disjoint"]) == {FLOOR, COMBINED, APART}
    assert document["contended"]["3"]["lost_guards"] == 0


def test_the_promise_is_about_sixteen_writers() -> None:
    def of_rate(rate: int) -> Stretches:
        return Stretches((Stretch(1, (1000,) * rate),))

    rates = {FLOOR: 100, COMBINED: 89, APART: 50}
    disjoint = {(line, count): of_rate(rate) for line, rate in rates.items() for count in (1, 16)}
    [promise] = Concurrency(EVENTS, 1, disjoint, {}, 0).budget()
    assert (promise.ratio, promise.budget, promise.met) == (0.89, 0.9, False)
    assert Concurrency(EVENTS, 1, {key: disjoint[key] for key in disjoint if key[1] == 1}, {}, 0).budget() == ()
