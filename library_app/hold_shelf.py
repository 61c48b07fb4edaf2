"""Looking over the hold shelf: every hold that is past its time ends, and its copy is held for the next reader."""

from dataclasses import dataclass
from datetime import datetime

from eventstore import uuid7
from slices.command_loop import CommandLoop
from slices.lending.events import BookHeldForReader, BookHoldExpired
from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.expire_holds.handler import ExpireHoldsHandler
from slices.lending.waiting_lists.query import WaitingListsHandler
from slices.origin import Origin
from slices.questions import Questions


@dataclass(frozen=True, slots=True)
class LookedOver:
    """What has been done.

    >>> str(LookedOver(holds_ended=2, held_for_the_next=1))
    '2 holds ended, 1 copy is held for the next reader.'

    Attributes:
        holds_ended: how many readers did not come in time.
        held_for_the_next: how many of those copies somebody else waits for.
    """

    holds_ended: int = 0
    held_for_the_next: int = 0

    def __str__(self) -> str:
        if not self.holds_ended:
            return "No hold is past its time."
        holds = "1 hold" if self.holds_ended == 1 else f"{self.holds_ended} holds"
        copies = "1 copy is" if self.held_for_the_next == 1 else f"{self.held_for_the_next or 'no'} copies are"
        return f"{holds} ended, {copies} held for the next reader."


def look_over(questions: Questions, loop: CommandLoop, now: datetime) -> LookedOver:
    """End every hold that is past its time.

    Each copy gets a command of its own, which decides anew: so it may be repeated, and two may do it at once. What
    another has done meanwhile is not done, and not counted, again.

    Args:
        questions: to be asked for the waiting lists.
        loop: carries the commands out.
        now: the hour at which somebody looks, and at which the holds end.

    Raises:
        TooMuchContention, StoreUnavailable: see `CommandLoop.run`. Holds that have ended before stay so.
    """
    handler, looking = ExpireHoldsHandler(loop), uuid7()
    written = [
        event.event_type
        for copy in WaitingListsHandler(questions).handle().view
        if copy.is_past_its_time(now)
        for event in handler.handle(ExpireHolds(copy.book_id, now), Origin.new(looking)).events
    ]
    return LookedOver(written.count(BookHoldExpired.TYPE), written.count(BookHeldForReader.TYPE))
