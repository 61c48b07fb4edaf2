"""A schedule: who takes the next step. It stands in an address, `A.read,B.read,…`, and is all there is to keep."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST: Final = 24
"""Steps of a schedule. Both commands have their answers after eight."""


class Step(StrEnum):
    """What a session does at a time, in its order."""

    READ = "read"
    APPEND = "append"
    COMMIT = "commit"


class Who(StrEnum):
    """The two sessions."""

    A = "A"
    B = "B"

    @property
    def other(self) -> "Who":
        """The one that may be in the way."""
        return Who.B if self is Who.A else Who.A


@dataclass(frozen=True, slots=True)
class Move:
    """One step of one session.

    >>> str(Move(Who.A, Step.READ))
    'A.read'
    """

    who: Who
    step: Step

    def __str__(self) -> str:
        return f"{self.who}.{self.step}"


class NoSchedule(ValueError):
    """A text that is no schedule. The message says what is wrong, to the person who sent it."""


def schedule(text: str) -> tuple[Move, ...]:
    """Read a schedule.

    >>> schedule("A.read,B.read")
    (Move(who=<Who.A: 'A'>, step=<Step.READ: 'read'>), Move(who=<Who.B: 'B'>, step=<Step.READ: 'read'>))

    Raises:
        NoSchedule: a step that nobody can take, or more steps than `LONGEST`.
    """
    words = [word.strip() for word in text.split(",", LONGEST) if word.strip()]
    if len(words) > LONGEST:
        raise NoSchedule(f"A schedule has at most {LONGEST} steps.")
    return tuple(_move(word) for word in words)


def _move(word: str) -> Move:
    who, _, step = word.partition(".")
    try:
        return Move(Who(who), Step(step))
    except ValueError:
        raise NoSchedule(f"“{word[:20]}” is no step. Steps look like A.read, B.append, A.commit.") from None


def written(moves: tuple[Move, ...]) -> str:
    """A schedule as `schedule` reads it."""
    return ",".join(map(str, moves))


@dataclass(frozen=True, slots=True)
class ReadySchedule:
    """One that is worth looking at.

    Attributes:
        title: in words.
        guarded, naive: all steps until both have an answer, with our guard and with the seed's.
    """

    title: str
    guarded: str
    naive: str


_READ: Final = "A.read,B.read"
_AGAIN: Final = "B.read,B.append,B.commit"

READY_SCHEDULES: Final = (
    ReadySchedule("One after the other", f"A.read,A.append,A.commit,{_AGAIN}", f"A.read,A.append,A.commit,{_AGAIN}"),
    ReadySchedule(
        "Both read before either writes",
        f"{_READ},A.append,A.commit,B.append,{_AGAIN}",
        f"{_READ},A.append,A.commit,B.append,{_AGAIN}",
    ),
    ReadySchedule(
        "The second appends while the first has not committed",
        f"{_READ},A.append,B.append,A.commit,{_AGAIN}",
        f"{_READ},A.append,B.append,A.commit,B.commit",
    ),
)
"""The first is no race, the second a race that both guards win. Only the third tells them apart."""
