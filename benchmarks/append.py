"""What an append costs, of one event and of five, beside INSERTs of the same events that are guarded by nothing."""

import random
from typing import Any, Final

from benchmarks.floors import ROUND_TRIP, Floors
from benchmarks.loans import Armful, Lending, check_alone
from benchmarks.one_client import Comparison, OneClientResult
from benchmarks.priming import PrimedStore
from benchmarks.sampling import WARM_UP_ROUNDS, Measured, OnRound, in_turns
from benchmarks.typical_workload import APPEND, APPEND_BUDGET, BARE_INSERT
from eventstore import StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool

BATCH: Final = 5
UNCONDITIONAL: Final = "append without condition"
BARE_INSERT_OF_FIVE: Final = "five-row INSERT + COMMIT"
APPEND_OF_FIVE: Final = "append of five"
UNCONDITIONAL_OF_FIVE: Final = "append of five, no condition"

COMPARISONS: Final = (
    Comparison(APPEND, (BARE_INSERT,), APPEND_BUDGET),
    Comparison(UNCONDITIONAL, (BARE_INSERT,), None),
    Comparison(APPEND_OF_FIVE, (BARE_INSERT_OF_FIVE,), None),
    Comparison(UNCONDITIONAL_OF_FIVE, (BARE_INSERT_OF_FIVE,), None),
    Comparison(APPEND_OF_FIVE, (APPEND,), None),
)


class Appending:
    """Appends of loans that the rules allow, on one primed store by one client with one connection.

    Before the clock starts everything is queried, so the pages are in memory, and the condition is fresh. After it has
    stopped, what was lent is returned.

    Args:
        pool: of one connection, which the floors use too.
        primed: the store.
        shuffling: decides who lends what.
    """

    def __init__(self, pool: Pool, primed: PrimedStore, shuffling: random.Random | None = None) -> None:
        self._store = PostgresEventStore(pool, primed.table)
        self._lending = Lending(self._store, primed.library, shuffling or random.Random())
        self._floors = Floors(pool, primed.table)
        self._lent: list[Armful] = []

    def things(self) -> tuple[Measured[Any, Any], ...]:
        """What is measured."""
        return (
            self._floors.round_trip(),
            self._bare(BARE_INSERT, 1),
            self._append(UNCONDITIONAL, 1, guarded=False),
            self._append(APPEND, 1, guarded=True),
            self._bare(BARE_INSERT_OF_FIVE, BATCH),
            self._append(UNCONDITIONAL_OF_FIVE, BATCH, guarded=False),
            self._append(APPEND_OF_FIVE, BATCH, guarded=True),
        )

    def _bare(self, name: str, count: int) -> Measured[Any, Any]:
        def events() -> tuple[StorableEvent, ...]:
            self._lent.append(armful := self._lending.free_armful(count))
            return armful.events

        return self._floors.insert(name, events, lambda: self._lending.give_back(*self._lent.pop().loans), count)

    def _append(self, name: str, count: int, *, guarded: bool) -> Measured[Armful, list[int]]:
        store = self._store

        def run(armful: Armful) -> list[int]:
            return store.append(*armful.events, condition=armful.stream.append_condition if guarded else None)

        def check(armful: Armful, numbers: list[int]) -> None:
            position = armful.stream.position
            check_alone(numbers == list(range(position + 1, position + 1 + count)))
            self._lending.give_back(*armful.loans)

        return Measured(name, lambda: self._lending.free_armful(count), run, check)


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
    return OneClientResult(
        name="append",
        title=f"Appends by one client, {rounds:,} rounds",
        headline=f"What an append costs in a store of {primed.library.events:,} events",
        samples=in_turns(Appending(pool, primed).things(), rounds, warm_up=warm_up, on_round=on_round),
        comparisons=COMPARISONS,
        floors=(ROUND_TRIP, BARE_INSERT, BARE_INSERT_OF_FIVE),
        primed=primed,
        facts={"rounds": rounds, "events_in_a_batch": BATCH},
    )
