"""A race of writers who want the same, with its times: the race kit runs it, and its oracle judges the log."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.stretches import Stretch, Stretches
from eventstore import AppendCondition, EventStream, Filter, StorableEvent
from eventstore.testing.arena import arena
from eventstore.testing.oracle import Claim
from eventstore.testing.port import RaceStore
from eventstore.testing.race import RaceReport, free_race
from eventstore.testing.twins import CONTENDERS

PRIZES: Final = 5
"""And as many teams: few, so that writers meet."""


@dataclass(frozen=True, slots=True)
class Race:
    """One race.

    Attributes:
        report: what the oracle found.
        stretch: appends that were accepted, and how long each took; the judging is not in it.
        decisions: appends that were tried.
    """

    report: RaceReport
    stretch: Stretch
    decisions: int


@dataclass(frozen=True, slots=True)
class Races:
    """Several of one kind."""

    all: tuple[Race, ...]

    @property
    def accepted(self) -> Stretches:
        """What was accepted, per race."""
        return Stretches(tuple(race.stretch for race in self.all))

    @property
    def accepted_in_all(self) -> int:
        """Appends that were accepted."""
        return sum(race.report.accepted for race in self.all)

    @property
    def lost_guards(self) -> int:
        """Accepted appends that overlooked another one."""
        return sum(len(race.report.lost_guards) for race in self.all)

    @property
    def lost_share(self) -> float:
        """Their part of all that were accepted."""
        return self.lost_guards / max(1, self.accepted_in_all)

    @property
    def refused_share(self) -> float:
        """The part of all decisions that met a conflict, and began again from the query."""
        return sum(race.report.conflicts for race in self.all) / max(1, sum(race.decisions for race in self.all))

    @property
    def right_per_second(self) -> float:
        """Accepted appends whose guard held, by the median rate."""
        return self.accepted.rate * (1 - self.lost_share)

    def as_json(self) -> dict[str, Any]:
        """Rates per second, times in microseconds."""
        return {
            **self.accepted.as_json(),
            "accepted": self.accepted_in_all,
            "refused_share": self.refused_share,
            "lost_guards": self.lost_guards,
            "verdicts": [race.report.verdict for race in self.all],
        }


class TimedStore:
    """A store that remembers when its appends began and ended.

    Args:
        store: which does the work.
    """

    def __init__(self, store: RaceStore) -> None:
        self._store = store
        self._asked: list[int] = []
        self._accepted: list[tuple[int, int]] = []

    def query(self, filter: Filter, /) -> EventStream:
        """See `RaceStore.query`."""
        self._asked.append(time.perf_counter_ns())
        return self._store.query(filter)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        began = time.perf_counter_ns()
        numbers = self._store.append(first, *more, condition=condition)
        self._accepted.append((began, time.perf_counter_ns()))
        return numbers

    def stretch(self) -> Stretch:
        """From the first question to the last append that was accepted."""
        if not self._accepted:
            return Stretch(1, ())
        nanoseconds = max(ended for _, ended in self._accepted) - min(self._asked)
        return Stretch(nanoseconds / 1_000_000_000, tuple(ended - began for began, ended in self._accepted))


def run_race(dsn: str, contender: str, writers: int, decisions: int, seed: int = 0) -> Race:
    """Let writers query, decide and append on an empty store of this kind, which is dropped afterwards.

    Args:
        dsn: the server.
        contender: which kind of store, by its name in the race kit.
        writers: how many, in threads.
        decisions: of all together; a race of a few is over before it begins.
        seed: of their choices.
    """
    rounds = max(1, decisions // writers)
    with arena(CONTENDERS[contender].subject, dsn) as place, place.open("writers", writers) as store:
        _warm_up(store, writers)
        timed = TimedStore(store)
        report = free_race(timed, writers=writers, rounds=rounds, prizes=PRIZES, seed=seed)
        return Race(report, timed.stretch(), rounds * writers)


def _warm_up(store: RaceStore, writers: int) -> None:
    """Open the connections of all writers, and have their statements prepared. The judge does not look at this type."""
    nobody = Claim("none", "none").boundary

    def touch(_writer: int) -> None:
        for _ in range(3):
            stream = store.query(nobody)
            event = StorableEvent.build("WarmedUp", datetime.now(UTC), payload=b"{}")
            store.append(event, condition=stream.append_condition)

    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(touch, range(writers)))


def all_clean(races: Iterable[Races]) -> bool:
    """Whether every guard of every race held."""
    return all(race.report.is_clean for each in races for race in each.all)
