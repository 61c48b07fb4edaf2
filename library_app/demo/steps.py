"""What a history is made of: commands, moments at which library and school are open, and ids that look like theirs."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from slices.command_loop import CommandLoop
from slices.origin import Origin
from slices.outcome import Outcome

Expected: TypeAlias = Literal["written", "rejected"]


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the history, and what comes of it."""

    command: Any
    handler: Callable[[CommandLoop], Any]
    expected: Expected

    def carry_out(self, loop: CommandLoop) -> Outcome:
        """Let the slice's own handler decide."""
        outcome: Outcome = self.handler(loop).handle(self.command, Origin.new())
        return outcome


def opening_time(start: datetime, day: int, chance: random.Random) -> datetime:
    """Some moment between nine and six; on Sundays everybody comes on Monday instead, a little later."""
    date = (start + timedelta(days=day)).replace(hour=9, minute=0, second=0, microsecond=0)
    if date.weekday() == 6:
        date += timedelta(days=1)
    return date + timedelta(milliseconds=chance.randrange(9 * 3_600_000))


def new_id(at: datetime, chance: random.Random) -> str:
    """A UUID of version 7 for a moment in the past."""
    milliseconds = int(at.timestamp() * 1000)
    number = milliseconds << 80 | 0x7 << 76 | chance.getrandbits(12) << 64 | 0b10 << 62 | chance.getrandbits(62)
    return str(UUID(int=number))
