"""How many appends a second from 1 to 64 writers at once, beside as many that INSERT without any guard."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.concurrency_result import Concurrency
from benchmarks.disjoint_writers import LINES, Done, Work, audit, shared_out, workers
from benchmarks.library_log import Pair
from benchmarks.loans import Lending
from benchmarks.priming import PrimedStore
from benchmarks.races import Race, Races, run_race
from benchmarks.server import CannotMeasure
from benchmarks.stretches import Stretch, Stretches
from benchmarks.twin import Copies
from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.testing.twins import OURS

WRITERS: Final = (1, 2, 4, 8, 16, 32, 64)
DECISIONS_PER_SECOND: Final = 600
"""Of a contended race, roughly: it is a number of decisions, and lasts about as long as the other stretches."""

OnStretch = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        writers: how many at once, each number in turn.
        repetitions: of each stretch.
        seconds: of each stretch.
        processes: that the writers with disjoint boundaries are spread over.
    """

    writers: tuple[int, ...] = WRITERS
    repetitions: int = 3
    seconds: float = 1.5
    processes: int = 1

    @property
    def stretches(self) -> int:
        """How many there are in all."""
        return self.repetitions * (len(self.writers) * len(LINES) + len(self.contended))

    @property
    def contended(self) -> tuple[int, ...]:
        """One writer alone has nobody to meet."""
        return tuple(count for count in self.writers if count > 1)


def measure(
    dsn: str, primed: PrimedStore, copies: Copies, plan: Plan, on_stretch: OnStretch = lambda: None
) -> Concurrency:
    """Measure every number of writers in a random order, repetition by repetition, and audit what they wrote.

    Args:
        dsn: the server.
        primed: the store that was copied.
        copies: of it; writers with disjoint boundaries lend and return books there.
        plan: what is measured.
        on_stretch: is called after each stretch.

    Raises:
        CannotMeasure: the store has too few copies of books.
        AssertionError: the store lost or falsified an event.
    """
    if max(plan.writers) > len(primed.library.books):
        raise CannotMeasure(
            f"{max(plan.writers)} writers need as many copies, and a store of {primed.library.events:,} events has"
            f" {len(primed.library.books)}"
        )
    run = _Run(dsn, copies, plan, on_stretch)
    with workers(plan.processes) as carry_out, open_pool(dsn, max_size=1) as pool:
        store = PostgresEventStore(pool, copies.store)
        before = store.query(FilterBuilder().matching_any_event(), limit=1).position
        lending = Lending(store, primed.library, run.shuffling)
        for _ in range(plan.repetitions):
            run.repetition(carry_out, lending)
        audit(store, before, run.appended)
    return Concurrency(
        before,
        plan.processes,
        {key: Stretches(tuple(stretches)) for key, stretches in run.disjoint.items()},
        {writers: Races(tuple(races)) for writers, races in run.contended.items()},
        run.appended,
    )


@dataclass
class _Run:
    dsn: str
    copies: Copies
    plan: Plan
    on_stretch: OnStretch
    shuffling: random.Random = field(default_factory=random.Random)
    appended: int = 0

    def __post_init__(self) -> None:
        self.disjoint: dict[tuple[str, int], list[Stretch]] = {
            (line, count): [] for line in LINES for count in self.plan.writers
        }
        self.contended: dict[int, list[Race]] = {count: [] for count in self.plan.contended}

    def repetition(self, carry_out: Callable[[Sequence[Work]], list[Done]], lending: Lending) -> None:
        for count in self.shuffling.sample(self.plan.writers, len(self.plan.writers)):
            for line in self.shuffling.sample(LINES, len(LINES)):
                pairs = _free_pairs(lending, count)
                done = carry_out(
                    [
                        Work(self.dsn, self.copies, line, share, self.plan.seconds)
                        for share in shared_out(pairs, self.plan.processes)
                    ]
                )
                self.disjoint[line, count].append(Stretch.together([each.stretch for each in done]))
                self.appended += sum(each.appended for each in done)
                self.on_stretch()
            if count in self.contended:
                decisions = max(count, int(DECISIONS_PER_SECOND * self.plan.seconds))
                seed = self.shuffling.randrange(1_000_000)
                self.contended[count].append(run_race(self.dsn, OURS, count, decisions, seed))
                self.on_stretch()


def _free_pairs(lending: Lending, count: int) -> list[Pair]:
    """So many pairs with different copies, that the rules allow to meet."""
    found: dict[str, Pair] = {}
    while len(found) < count:
        command = lending.free_loan().command
        found[command.book_id] = Pair(command.book_id, command.reader_id)
    return list(found.values())
