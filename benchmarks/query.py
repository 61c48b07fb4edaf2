"""What a query costs, by how much it finds, beside the same rows fetched by their numbers."""

import random
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from benchmarks.floors import ROUND_TRIP, Floors
from benchmarks.loans import Lending
from benchmarks.long_streams import LongStreams
from benchmarks.one_client import Comparison, OneClientResult
from benchmarks.priming import PrimedSchool, PrimedStore
from benchmarks.sampling import WARM_UP_ROUNDS, Measured, OnRound, Samples, in_turns
from benchmarks.typical_workload import QUERY_BUDGET
from eventstore import EventStream, Filter, FilterBuilder, P, SequencedEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.lending.events import BookCopyAddedToCirculation, BookCopyLentToReader

BOUNDARY: Final = "query of 30 events"
ONE: Final = "query of one event"
NEWEST: Final = "query of the newest loan"
_ROUNDS_FOR_ONE_OF_LONG: Final = 50


class _Question(NamedTuple):
    """What is asked, and the answer, found before the clock starts."""

    filter: Filter
    limit: int | None
    events: tuple[SequencedEvent, ...]


class Querying:
    """Queries of few events in a primed library, by one client with one connection.

    Every measurement asks about another copy and reader. What it finds is read once before the clock starts, so the
    pages are in memory for the query and for its floor.

    Args:
        pool: of one connection, which the floors use too.
        primed: the store.
        shuffling: decides about whom.
    """

    def __init__(self, pool: Pool, primed: PrimedStore, shuffling: random.Random | None = None) -> None:
        self._store = PostgresEventStore(pool, primed.table)
        self._lending = Lending(self._store, primed.library, shuffling or random.Random())
        self._floors = Floors(pool, primed.table)

    def things(self) -> Iterator[Measured[Any, Any]]:
        """What is measured."""
        yield self._floors.round_trip()
        for name, ask in ((BOUNDARY, self._boundary), (ONE, self._one), (NEWEST, self._newest)):
            yield self._by_key(floor_of(name), ask)
            yield Measured(name, ask, self._query, _same)

    def _by_key(self, name: str, ask: Callable[[], _Question]) -> Measured[Any, Any]:
        return self._floors.rows_by_key(name, lambda: [event.sequence_number for event in ask().events])

    def _query(self, question: _Question) -> EventStream:
        return self._store.query(question.filter, limit=question.limit, backwards=question.limit is not None)

    def _boundary(self) -> _Question:
        """All that a lending depends on."""
        return self._asked(self._lending.free_loan().stream.filter)

    def _one(self) -> _Question:
        """When a copy came to the library."""
        added = FilterBuilder().matching().any_event_type_of(BookCopyAddedToCirculation.TYPE)
        book_id = self._lending.free_loan().command.book_id
        return self._asked(added.and_any_predicate_of(P("BookID", book_id)).finalize())

    def _newest(self) -> _Question:
        """When this copy was lent last."""
        lent = FilterBuilder().matching().any_event_type_of(BookCopyLentToReader.TYPE)
        book_id = self._lending.free_loan().command.book_id
        return self._asked(lent.and_any_predicate_of(P("BookID", book_id)).finalize(), limit=1)

    def _asked(self, filter: Filter, limit: int | None = None) -> _Question:
        stream = self._store.query(filter, limit=limit, backwards=limit is not None)
        return _Question(filter, limit, stream.events)


def measure(
    pool: Pool,
    primed: PrimedStore,
    school: PrimedSchool,
    rounds: int,
    on_round: OnRound,
    *,
    warm_up: int = WARM_UP_ROUNDS,
) -> OneClientResult:
    """Measure everything in turns: first what finds little, then the two long streams, less often.

    Args:
        pool: of one connection.
        primed: a library.
        school: has the long streams.
        rounds: how often each query of few events is measured.
        on_round: is called after each round, the warm-up and those of the long streams included.
        warm_up: rounds that are not counted.
    """
    few = in_turns(tuple(Querying(pool, primed).things()), rounds, warm_up=warm_up, on_round=on_round)
    lengths = (school.school.longest // 100, school.school.longest)
    streams = LongStreams(pool, school)
    names = [f"query of {length:,} events" for length in lengths]
    many: dict[str, Samples] = {}
    for name, length, times in zip(
        names, lengths, (rounds_for_long(rounds * 10), rounds_for_long(rounds)), strict=True
    ):
        things = (streams.rows_by_key(floor_of(name), length), streams.query(name, length))
        many |= in_turns(things, times, warm_up=1, on_round=on_round)
    queries = (BOUNDARY, ONE, NEWEST, *names)
    return OneClientResult(
        name="query",
        title=f"Queries by one client, {rounds:,} rounds",
        headline=f"What a query costs in a store of {primed.library.events:,} events",
        samples=few | many,
        comparisons=[
            Comparison(name, (floor_of(name),), QUERY_BUDGET if name == BOUNDARY else None) for name in queries
        ],
        floors=(ROUND_TRIP, *(floor_of(name) for name in queries)),
        primed=primed,
        facts={"rounds": rounds, "school": school.as_json()},
    )


def floor_of(name: str) -> str:
    """What the same rows by primary key are called."""
    return f"{name.removeprefix('query of ')} by key"


def rounds_for_long(rounds: int) -> int:
    """How often the longest stream is read: a hundred thousand events take their time."""
    return max(1, rounds // _ROUNDS_FOR_ONE_OF_LONG)


def all_rounds(rounds: int, warm_up: int = WARM_UP_ROUNDS) -> int:
    """How often `on_round` will be called."""
    return warm_up + rounds + 2 + rounds_for_long(rounds * 10) + rounds_for_long(rounds)


def _same(question: _Question, found: EventStream) -> None:
    assert found.events == question.events
