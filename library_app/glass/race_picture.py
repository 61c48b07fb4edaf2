"""The picture of a race: a line per racer on a common axis of time, in percent of its length."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from library_app.race import Racer, RaceResult
from slices.decision import Append, Reject
from slices.outcome import Attempt

ROW: Final = 24
"""Height of a line, in pixels; app.css gives the names beside it the same."""

STEPS: Final = {
    "read": "reads its events",
    "line": "waits until all have read",
    "decide": "decides",
    "queue": "waits for a free connection",
    "lock": "waits for its turn: for others of this process, and for the append lock",
    "append": "checks its guard, inserts and commits",
    "pause": "pauses before another attempt",
    "record": "puts the refusal on record",
}
"""What the parts of a line mean, by the class they have."""
MARKS: Final = {"conflict": "somebody came between", "won": "got it", "refused": "was refused", "gave-up": "gave up"}
"""What stands at a moment of a line."""

_SHORTEST: Final = 0.12
_MOST_TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of a line.

    Attributes:
        kind: a key of `STEPS`.
        at, width: in percent of the axis.
        words: what it is, and how long it took.
    """

    kind: str
    at: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a line: `kind` is a key of `MARKS`, `at` a percentage."""

    kind: str
    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """How one racer fared."""

    name: str
    won: bool
    steps: tuple[Step, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole race.

    Attributes:
        lines: one per racer.
        ticks: moments on the axis, in percent, and what is written there.
    """

    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]

    @property
    def kinds(self) -> frozenset[str]:
        """What a legend has to explain."""
        steps = {step.kind for line in self.lines for step in line.steps}
        return frozenset(steps | {mark.kind for line in self.lines for mark in line.marks})

    @classmethod
    def of(cls, result: RaceResult) -> "Picture":
        """Draw a race."""
        scale = 100 / result.seconds
        return cls(tuple(_line(racer, scale) for racer in result.racers), tuple(_ticks(result.seconds)))


def outcome_of(racer: Racer) -> str:
    """The mark at the end of a line.

    >>> outcome_of(winner)
    'won'
    """
    match racer.decision:
        case None:
            return "gave-up"
        case Reject():
            return "refused"
        case _:
            return "won"


def _line(racer: Racer, scale: float) -> Line:
    steps: list[Step] = []
    for kind, start, end in _stretches(racer):
        took = f"{STEPS[kind]}, {(end - start) * 1000:.1f} ms"
        if end > start:
            steps.append(Step(kind, round(start * scale, 3), round(max((end - start) * scale, _SHORTEST), 3), took))
    marks = [
        Mark(
            "conflict", round(_end(racer, attempt) * scale, 3), f"event {attempt.conflict.sequence_number} came between"
        )
        for attempt in racer.report.attempts
        if attempt.conflict is not None
    ]
    ending = outcome_of(racer)
    reason = racer.decision.reason.message if isinstance(racer.decision, Reject) else MARKS[ending]
    marks.append(Mark(ending, round(racer.finished * scale, 3), reason))
    return Line(racer.name, ending == "won", tuple(steps), tuple(marks))


def _stretches(racer: Racer) -> Iterator[tuple[str, float, float]]:
    """The kind, start and end of everything a racer did, in seconds."""
    for number, attempt in enumerate(racer.report.attempts):
        start = racer.began + attempt.started
        answered = start + attempt.querying
        decided = answered + attempt.deciding
        if number == 0:
            yield "read", start, racer.ready
            yield "line", racer.ready, racer.released
        else:
            yield "read", start, answered
        yield "decide", answered, decided
        is_last = attempt is racer.report.attempts[-1]
        appends = attempt.conflict is not None or isinstance(racer.decision, Append) or not is_last
        ended = decided + attempt.appending
        connected = min(decided + racer.waits[number].connection, ended)
        locked = min(connected + racer.waits[number].lock, ended)
        yield "queue", decided, connected
        yield "lock", connected, locked
        yield "append" if appends else "record", locked, ended
        yield "pause", ended, ended + attempt.waited


def _end(racer: Racer, attempt: Attempt) -> float:
    return racer.began + attempt.started + attempt.querying + attempt.deciding + attempt.appending


def _ticks(seconds: float) -> Iterator[tuple[float, str]]:
    """Round numbers of milliseconds, a handful of them."""
    whole = seconds * 1000
    step = next(
        base * 10**power for power in range(6) for base in (1, 2, 5) if whole / (base * 10**power) <= _MOST_TICKS
    )
    for number in range(int(whole // step) + 1):
        at = number * step / whole * 100
        if at <= 94:  # what is written further right would be cut off
            yield round(at, 3), f"{number * step} ms"
