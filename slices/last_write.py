"""What was written last with this browser: a page that is answered from a live model waits for it, within bounds."""

from typing import Final

from flask import session

from slices.outcome import Outcome

_KEY: Final = "last_write"


def remember(outcome: Outcome) -> None:
    """Keep the position of what was written, if anything was, in the session cookie."""
    if outcome.events:
        session[_KEY] = outcome.events[-1].sequence_number


def last_write() -> int | None:
    """The position of the last event that was written with this browser."""
    position = session.get(_KEY)
    return position if isinstance(position, int) else None
