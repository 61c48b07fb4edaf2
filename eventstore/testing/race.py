"""Randomized races: many writers, few prizes, and the oracle that replays the log.

python -m eventstore.testing.race --rounds 10000            on an embedded PostgreSQL
python -m eventstore.testing.race --store cte-guard         the statement printed in the seed, which loses

They come after the schedules: those prove what they name, these look for what nobody has named yet.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eventstore.errors import ConcurrencyConflict
from eventstore.filter_builder import FilterBuilder
from eventstore.testing.oracle import CLAIMED, Claim, LostGuard, lost_guards, winners_per_prize
from eventstore.testing.port import RaceStore

_ROUNDS_PER_LAP: Final = 100

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class RaceReport:
    """What came out of a race.

    Attributes:
        rounds: how many prizes were raced for, or how many decisions each writer made.
        accepted, conflicts: appends that succeeded, and that were refused by their guard.
        several_winners: prizes that more than one writer got although all had seen it free.
        no_winner: prizes that nobody got although all had seen it free.
        unaccounted: how far the number of claims in the log is from that of the appends that succeeded.
        lost_guards: accepted events that overlooked another.
    """

    rounds: int
    accepted: int
    conflicts: int
    several_winners: int
    no_winner: int
    unaccounted: int
    lost_guards: list[LostGuard]

    @property
    def is_clean(self) -> bool:
        """True if every guard held."""
        return not (self.lost_guards or self.several_winners or self.no_winner or self.unaccounted)

    @property
    def verdict(self) -> str:
        """What it proves, in words."""
        faults = {
            "lost guards": len(self.lost_guards),
            "prizes with several winners": self.several_winners,
            "prizes without a winner": self.no_winner,
            "claims unaccounted for": self.unaccounted,
        }
        return ", ".join(f"{count:,} {fault}" for fault, count in faults.items() if count) or "every guard held"

    def __str__(self) -> str:
        return f"{self.rounds:,} rounds: {self.accepted:,} accepted, {self.conflicts:,} refused, {self.verdict}"


def race_for_prizes(
    store: RaceStore, /, *more: RaceStore, writers: int = 8, rounds: int = 300, progress: Progress = lambda _: None
) -> RaceReport:
    """Let all writers see a prize free and claim it at the same moment, prize after prize. One may win each.

    Args:
        store: an empty store.
        more: the same events through stores of their own, as other processes have them; the writers are dealt out. What
            only keeps the threads of one process apart is not enough then.
        writers: concurrent writers; a PostgreSQL store needs a pool with a connection for each of its own.
        rounds: number of prizes.
        progress: called with the number of rounds done.
    """
    starting_line = threading.Barrier(writers)
    stores = (store, *more)

    def run(writer: int) -> int:
        own, won = stores[writer % len(stores)], 0
        for prize in range(rounds):
            claim = Claim(f"prize {prize}", f"team {prize}.{writer}")
            seen = own.query(claim.boundary)
            event = claim.event(writer, seen, datetime.now(UTC))
            starting_line.wait()
            try:
                own.append(event, condition=seen.append_condition)
                won += 1
            except ConcurrencyConflict:
                pass
            # Nobody may look at the next prize before this one is decided.
            if starting_line.wait() == 0:
                progress(prize + 1)
        return won

    accepted = _in_parallel(run, writers, starting_line)
    return _judged(store, rounds, writers, accepted, one_winner_each=True)


def free_race(
    store: RaceStore,
    /,
    *more: RaceStore,
    writers: int = 8,
    rounds: int = 100,
    prizes: int = 5,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> RaceReport:
    """Let every writer query, decide and append without waiting for anybody, on few prizes and teams.

    Every hundred rounds the writers line up for new prizes and teams. Otherwise each query would return a longer
    history than the one before, the races would become slower and the conflicts rarer.

    Args:
        store, more: see `race_for_prizes`.
        writers: concurrent writers.
        rounds: decisions of each writer.
        prizes: number of prizes, and of teams; the fewer, the more conflicts.
        seed: of the random choices.
        progress: called with the number of rounds done.
    """
    starting_line = threading.Barrier(writers)
    stores = (store, *more)

    def run(writer: int) -> int:
        own = stores[writer % len(stores)]
        chance = random.Random(f"{seed}/{writer}")  # noqa: S311  # a repeatable race, no secret
        won = 0
        for round_ in range(rounds):
            if round_ % _ROUNDS_PER_LAP == 0 and starting_line.wait() == 0:
                progress(round_)
            lap = round_ // _ROUNDS_PER_LAP
            claim = Claim(f"prize {lap}.{chance.randrange(prizes)}", f"team {lap}.{chance.randrange(prizes)}")
            seen = own.query(claim.boundary)
            try:
                own.append(claim.event(writer, seen, datetime.now(UTC)), condition=seen.append_condition)
                won += 1
            except ConcurrencyConflict:
                pass
        return won

    accepted = _in_parallel(run, writers, starting_line)
    progress(rounds)
    return _judged(store, rounds, writers, accepted, one_winner_each=False)


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


def _judged(store: RaceStore, rounds: int, writers: int, accepted: int, *, one_winner_each: bool) -> RaceReport:
    log = store.query(FilterBuilder().matching().any_event_type_of(CLAIMED).finalize()).events
    winners = winners_per_prize(log)
    return RaceReport(
        rounds=rounds,
        accepted=accepted,
        conflicts=rounds * writers - accepted,
        several_winners=sum(len(all_winners) > 1 for all_winners in winners.values()) if one_winner_each else 0,
        no_winner=rounds - len(winners) if one_winner_each else 0,
        unaccounted=abs(len(log) - accepted),
        lost_guards=lost_guards(log),
    )


if __name__ == "__main__":
    from eventstore.testing.race_command import main

    main()
