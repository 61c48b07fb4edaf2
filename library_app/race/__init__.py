"""The race lab: many at once who want the same, on a log of the lab's own. This is its port; `postgres` runs races."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from eventstore import SequencedEvent
from library_app.race.ladder import Ladder
from library_app.race.schedule import Move
from slices.audit import Objection
from slices.decision import AnyDecision
from slices.outcome import Report, StoredEvent

FEWEST_RACERS: Final = 2
MOST_RACERS: Final = 50


class RaceKind(StrEnum):
    """What is raced for."""

    ONE_COPY = "one-copy"
    LAST_SEAT = "last-seat"
    NO_CONFLICT = "no-conflict"


@dataclass(frozen=True, slots=True)
class Waits:
    """What an append waited for before its guard was looked at, in seconds.

    Attributes:
        connection: until one of the race's connections was free.
        lock: for the append lock; 0.0 in a store that has none.
    """

    connection: float = 0.0
    lock: float = 0.0

    @classmethod
    def summed(cls, several: Iterable["Waits"]) -> "Waits":
        """Those of all appends of an attempt: it has several only if an outcome was unknown."""
        listed = tuple(several)
        return cls(sum(waits.connection for waits in listed), sum(waits.lock for waits in listed))


@dataclass(frozen=True, slots=True)
class Racer:
    """How one of them fared. All times are in seconds since the race began.

    Attributes:
        racer_id: of the reader or student.
        name: what people call them.
        began: the command was given.
        ready: the first query was answered, and the racer stood at the starting line.
        released: everybody had read.
        report: every attempt.
        waits: what the append of each attempt waited for.
        decision: the last one; None if the racer gave up.
        events: what the racer wrote.
    """

    racer_id: str
    name: str
    began: float
    ready: float
    released: float
    report: Report
    waits: tuple[Waits, ...]
    decision: AnyDecision | None
    events: tuple[StoredEvent, ...]

    @property
    def finished(self) -> float:
        """When the command was answered."""
        last = self.report.attempts[-1]
        return self.began + last.started + last.querying + last.deciding + last.appending


@dataclass(frozen=True, slots=True)
class RaceResult:
    """A race, and what the log says about it.

    Attributes:
        kind, guarded: what was asked for.
        rounds: how many races were run; this is the last of them.
        prize: the id of the copy or course that all wanted; empty if everybody wanted another.
        racers: in the order of their names on the list.
        seconds: from the first query to the last answer of this race.
        got: the events that gave racers what they wanted, as the log has them.
        objections: what an auditor of the log objects to.
    """

    kind: RaceKind
    guarded: bool
    rounds: int
    prize: str
    racers: tuple[Racer, ...]
    seconds: float
    got: tuple[SequencedEvent, ...]
    objections: tuple[Objection, ...]

    @property
    def conflicts(self) -> int:
        """How often somebody was in the way of somebody."""
        return sum(len(racer.report.conflicts) for racer in self.racers)


class RaceLab(Protocol):
    """Where races are run."""

    def run(self, kind: RaceKind, racers: int, *, guarded: bool) -> RaceResult:
        """Run a race, and read from the log how it ended.

        Args:
            kind: what is raced for.
            racers: how many want it.
            guarded: False takes the statement of the seed, whose guard does not hold.

        Raises:
            StoreUnavailable: the database does not answer, or not in time.
        """
        ...

    def step(self, moves: tuple[Move, ...], *, guarded: bool) -> Ladder:
        """Let two sessions want one copy, and take their steps in this order.

        Args:
            moves: the schedule; it is played from its beginning, on new ids.
            guarded: False takes the statement of the seed, whose guard does not hold.

        Raises:
            StoreUnavailable: the database does not answer, or not in time.
        """
        ...
