"""Stores × schedules, as text: what the command prints, and what README.md in the folder above shows."""

from collections.abc import Mapping, Sequence
from typing import Final

from eventstore.testing.judgement import Flaw
from eventstore.testing.stage import Outcome, Schedule

MARKS: Final[Mapping[Flaw | None, str]] = {
    None: "·",
    Flaw.LOST_GUARD: "L",
    Flaw.OUT_OF_ORDER: "O",
    Flaw.PART_OF_A_BATCH: "P",
    Flaw.WRONG_ANSWER: "W",
    Flaw.FALSE_CONFLICT: "F",
    Flaw.ERROR: "E",
    Flaw.STUCK: "S",
    Flaw.NOT_HELD: "?",
}
"""One letter for each flaw, and a dot for none."""

_FIRST_COLUMN: Final = 20


def header(schedules: Sequence[Schedule]) -> str:
    """The numbers of the schedules."""
    return " " * _FIRST_COLUMN + "".join(f"{number:>3}" for number, _ in enumerate(schedules, 1))


def row(store: str, outcomes: Sequence[Outcome]) -> str:
    """What came of a store, schedule by schedule, as far as it has got."""
    return f"{store:{_FIRST_COLUMN}}" + "".join(f"{MARKS[outcome.flaw]:>3}" for outcome in outcomes)


def legend(schedules: Sequence[Schedule]) -> str:
    """What numbers and letters mean."""
    numbers = (f"{number:>3}  {schedule.name:22} {schedule.title}" for number, schedule in enumerate(schedules, 1))
    letters = ", ".join(f"{mark} {flaw.value if flaw else 'held'}" for flaw, mark in MARKS.items())
    return "\n".join([*numbers, "", letters])
