"""Randomized races: many writers, few prizes, and the oracle that replays the log.

python -m eventstore.testing.race --rounds 10000            on an embedded PostgreSQL
python -m eventstore.testing.race --store seed              the statement printed in the seed, which loses
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from eventstore.errors import ConcurrencyConflict
from eventstore.events import StorableEvent
from eventstore.filter_builder import FilterBuilder
from eventstore.filters import Filter
from eventstore.store import AppendCondition, EventStream
from eventstore.testing.oracle import CLAIMED, Claim, LostGuard, lost_guards, winners_per_prize


class Contested(Protocol):
    """What a race needs of a store."""

    def query(self, filter: Filter) -> EventStream:
        """See `eventstore.EventStore`."""
        ...

    def append(self, event: StorableEvent, /, *, condition: AppendCondition | None) -> list[int]:
        """See `eventstore.EventStore`."""
        ...


@dataclass(frozen=True, slots=True)
class RaceReport:
    """What came out of a race.

    Attributes:
        rounds: how many prizes were raced for, or how many decisions each writer made.
        accepted, conflicts: appends that succeeded, and that were refused by their guard.
        several_winners: prizes that more than one writer got although all had seen it free.
        lost_guards: accepted events that overlooked another.
    """

    rounds: int
    accepted: int
    conflicts: int
    several_winners: int
    lost_guards: list[LostGuard]

    @property
    def is_clean(self) -> bool:
        """True if every guard held."""
        return not self.lost_guards and not self.several_winners

    def __str__(self) -> str:
        verdict = "every guard held" if self.is_clean else f"{len(self.lost_guards)} guards lost"
        winners = f", {self.several_winners} prizes with several winners" if self.several_winners else ""
        return f"{self.rounds} rounds: {self.accepted} accepted, {self.conflicts} refused, {verdict}{winners}"


def race_for_prizes(
    store: Contested, *, writers: int = 8, rounds: int = 300, progress: Callable[[int], object] = lambda _: None
) -> RaceReport:
    """Let all writers see a prize free and claim it at the same moment, prize after prize. One may win each.

    Args:
        store: an empty store.
        writers: concurrent writers; a PostgreSQL store needs a pool with as many connections.
        rounds: number of prizes.
        progress: called with the number of rounds done.
    """
    starting_line = threading.Barrier(writers)

    def run(writer: int) -> int:
        won = 0
        for prize in range(rounds):
            claim = Claim(f"prize {prize}", f"team {prize}.{writer}", writer)
            condition = store.query(claim.boundary).append_condition
            event = claim.event(condition, datetime.now(UTC))
            starting_line.wait()
            try:
                store.append(event, condition=condition)
                won += 1
            except ConcurrencyConflict:
                pass
            # Nobody may look at the next prize before this one is decided.
            if starting_line.wait() == 0:
                progress(prize + 1)
        return won

    return _judged(store, rounds, rounds * writers, _in_parallel(run, writers, starting_line), one_winner=True)


def free_race(store: Contested, *, writers: int = 8, rounds: int = 100, prizes: int = 5, seed: int = 0) -> RaceReport:
    """Let every writer query, decide and append without waiting for anybody, on few prizes and teams.

    Args:
        store: an empty store.
        writers: concurrent writers.
        rounds: decisions of each writer.
        prizes: number of prizes, and of teams; the fewer, the more conflicts.
        seed: of the random choices.
    """
    starting_line = threading.Barrier(writers)

    def run(writer: int) -> int:
        chance = random.Random(f"{seed}/{writer}")  # noqa: S311  # a repeatable race, no secret
        won = 0
        starting_line.wait()
        for _ in range(rounds):
            claim = Claim(f"prize {chance.randrange(prizes)}", f"team {chance.randrange(prizes)}", writer)
            condition = store.query(claim.boundary).append_condition
            try:
                store.append(claim.event(condition, datetime.now(UTC)), condition=condition)
                won += 1
            except ConcurrencyConflict:
                pass
        return won

    return _judged(store, rounds, rounds * writers, _in_parallel(run, writers, starting_line), one_winner=False)


def _in_parallel(run: Callable[[int], int], writers: int, starting_line: threading.Barrier) -> int:
    def guarded(writer: int) -> int:
        try:
            return run(writer)
        except BaseException:
            starting_line.abort()  # or the others would wait for ever
            raise

    with ThreadPoolExecutor(writers) as pool:
        futures = [pool.submit(guarded, writer) for writer in range(writers)]
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, threading.BrokenBarrierError):
            raise error
    return sum(future.result() for future in futures)


def _judged(store: Contested, rounds: int, attempts: int, accepted: int, *, one_winner: bool) -> RaceReport:
    everything = FilterBuilder().matching().any_event_type_of(CLAIMED).finalize()
    log = store.query(everything).events
    assert len(log) == accepted, f"{accepted} appends were acknowledged, the log holds {len(log)} claims"
    several = sum(len(winners) > 1 for winners in winners_per_prize(log).values()) if one_winner else 0
    nobody = rounds - len(winners_per_prize(log)) if one_winner else 0
    assert nobody <= 0, f"nobody got {nobody} of {rounds} prizes"
    return RaceReport(rounds, accepted, attempts - accepted, several, lost_guards(log))


if __name__ == "__main__":
    from eventstore.testing.race_command import main

    main()
