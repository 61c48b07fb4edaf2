"""What a command costs: query, append and all of it, beside the least that any client of PostgreSQL would need."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from benchmarks.floors import ROUND_TRIP, Floors
from benchmarks.library_log import LENDINGS_PER_COPY, Library
from benchmarks.loans import Lending, Loan, check_alone
from benchmarks.one_client import Comparison, OneClientResult
from benchmarks.priming import PrimedStore
from benchmarks.sampling import WARM_UP_ROUNDS, Measured, OnRound, in_turns
from eventstore import AppendCondition, EventStream, FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.command_loop import CommandLoop
from slices.decision import Append
from slices.lending.events import BookCopyLentToReader
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import boundary
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.origin import Origin
from slices.outcome import Outcome

ROWS_BY_KEY: Final = "the same rows by primary key"
QUERY: Final = "query"
BARE_INSERT: Final = "bare INSERT + COMMIT"
APPEND: Final = "append"
APPEND_TO_LONG_STREAM: Final = "append on a long stream"
APPEND_BEHIND: Final = "append, 100 newer events"
TYPICAL_WORKLOAD: Final = "typical workload"

QUERY_BUDGET: Final = 1.3
APPEND_BUDGET: Final = 1.2
NEWER_EVENTS: Final = 100

COMPARISONS: Final = (
    Comparison(QUERY, (ROWS_BY_KEY,), QUERY_BUDGET),
    Comparison(APPEND, (BARE_INSERT,), APPEND_BUDGET),
    Comparison(APPEND_TO_LONG_STREAM, (APPEND,), 1.2),
    Comparison(APPEND_BEHIND, (APPEND,), None),
    Comparison(TYPICAL_WORKLOAD, (QUERY, APPEND), 1.15),
)
FLOORS: Final = (ROUND_TRIP, ROWS_BY_KEY, BARE_INSERT)


@dataclass
class TypicalWorkload:
    """Everything that is measured, on one primed store by one client with one connection.

    Each measurement takes a pair of copy and reader that did not meet in this run, and queries its boundary before
    the clock starts. What it lends is returned after the clock has stopped.

    Attributes:
        pool: of one connection. The floors use it too: two server processes would compete for the processor's caches.
        table: the events table.
        library: whose history is in it.
        events_found: how many events each query found.
    """

    pool: Pool
    table: str
    library: Library
    shuffling: random.Random = field(default_factory=random.Random)
    events_found: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._store = PostgresEventStore(self.pool, self.table)
        self._lending = Lending(self._store, self.library, self.shuffling)
        self._handler = LendBookToReaderHandler(CommandLoop(self._store))
        self._lent: list[Loan] = []

    @property
    def long_stream(self) -> int:
        """The number of events in the stream of `APPEND_TO_LONG_STREAM` when the store was primed."""
        return LENDINGS_PER_COPY * len(self.library.books)

    def things(self) -> tuple[Measured[Any, Any], ...]:
        """What is measured."""
        floors = Floors(self.pool, self.table)
        return (
            floors.round_trip(),
            floors.rows_by_key(ROWS_BY_KEY, self._numbers),
            Measured(QUERY, self.free_loan, self._query, self._same_events),
            floors.insert(BARE_INSERT, lambda: [self._lend().event], self._give_back),
            Measured(APPEND, self._guarded, self._append, self._appended),
            Measured(APPEND_TO_LONG_STREAM, self._guarded_on_long_stream, self._append, self._appended),
            Measured(APPEND_BEHIND, self._guarded_behind, self._append, self._appended),
            Measured(TYPICAL_WORKLOAD, self.free_loan, self._handle, self._handled),
        )

    def free_loan(self) -> Loan:
        """Find a pair that may meet.

        Raises:
            CannotMeasure: nobody may lend anything; the store is not what priming made.
        """
        return self._lending.free_loan()

    def _numbers(self) -> list[int]:
        return [event.sequence_number for event in self.free_loan().stream]

    def _lend(self) -> Loan:
        self._lent.append(loan := self.free_loan())
        return loan

    def _give_back(self) -> None:
        self._lending.give_back(self._lent.pop())

    def _query(self, loan: Loan) -> EventStream:
        return self._store.query(loan.stream.filter)

    def _same_events(self, loan: Loan, found: EventStream) -> None:
        assert found.events == loan.stream.events
        self.events_found.append(len(found))

    def _guarded(self) -> tuple[Loan, AppendCondition]:
        loan = self.free_loan()
        return loan, loan.stream.append_condition

    def _guarded_on_long_stream(self) -> tuple[Loan, AppendCondition]:
        every_loan = FilterBuilder().matching().any_event_type_of(BookCopyLentToReader.TYPE).finalize()
        newest = self._store.query(every_loan, limit=1, backwards=True)
        return self.free_loan(), newest.append_condition

    def _guarded_behind(self) -> tuple[Loan, AppendCondition]:
        loan = self.free_loan()
        strangers = LendBookToReader(book_id=str(uuid4()), reader_id=str(uuid4()), occurred_at=datetime.now(UTC))
        return loan, AppendCondition(boundary(strangers), max(0, loan.stream.position - NEWER_EVENTS))

    def _append(self, guarded: tuple[Loan, AppendCondition]) -> list[int]:
        loan, condition = guarded
        return self._store.append(loan.event, condition=condition)

    def _appended(self, guarded: tuple[Loan, AppendCondition], numbers: list[int]) -> None:
        loan, _ = guarded
        check_alone(numbers == [loan.stream.position + 1])
        self._lending.give_back(loan)

    def _handle(self, loan: Loan) -> Outcome:
        return self._handler.handle(loan.command, Origin.new())

    def _handled(self, loan: Loan, outcome: Outcome) -> None:
        check_alone(isinstance(outcome.decision, Append) and len(outcome.report.attempts) == 1)
        self._lending.give_back(loan)


def measure(
    pool: Pool, primed: PrimedStore, rounds: int, on_round: OnRound, *, warm_up: int = WARM_UP_ROUNDS
) -> OneClientResult:
    """Measure everything in turns.

    Args:
        pool: of one connection.
        primed: the store.
        rounds: how often each thing is measured.
        on_round: is called after each round, the warm-up included.
        warm_up: rounds that are not counted.
    """
    workload = TypicalWorkload(pool, primed.table, primed.library)
    samples = in_turns(workload.things(), rounds, warm_up=warm_up, on_round=on_round)
    found = sum(workload.events_found) / len(workload.events_found)
    return OneClientResult(
        name="typical-workload",
        title=f"{rounds:,} rounds; a query finds {found:.1f} events, the long stream {workload.long_stream:,}",
        headline=f"What a command costs in a store of {primed.library.events:,} events",
        samples=samples,
        comparisons=COMPARISONS,
        floors=FLOORS,
        primed=primed,
        facts={"rounds": rounds, "events_per_query": found, "long_stream": workload.long_stream},
    )
