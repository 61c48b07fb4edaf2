"""What may become visible when: nothing below a position that somebody has read up to."""

from eventstore.testing.gates import Gate
from eventstore.testing.oracle import Claim
from eventstore.testing.stage import Stage

_GOLD_FOR_RED = Claim("gold", "red")
_GOLD_FOR_BLUE = Claim("gold", "blue")
_SILVER_FOR_BLUE = Claim("silver", "blue")


def three_sessions(stage: Stage) -> None:
    """A draws a number and stays open, B commits the next one, C reads: to the end, as it believes.

    When A has committed, C's guard looks only above B's number. No two appends of this schedule that depend on each
    other overlap, so neither SERIALIZABLE nor a lock per predicate sees anything.
    """
    a, b, c = stage.a, stage.b, stage.c
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_COMMIT)
    b.append(_SILVER_FOR_BLUE)
    seen_by_c = c.query(_GOLD_FOR_BLUE.boundary)
    a.resume()
    c.append(_GOLD_FOR_BLUE, seen_by_c)


def visibility(stage: Stage) -> None:
    """A is open, B appends, and C follows the log as a subscriber or a projection does: from where it has got to."""
    a, b, c = stage.a, stage.b, stage.c
    a.append(_GOLD_FOR_RED, until=Gate.BEFORE_COMMIT)
    b.append(_SILVER_FOR_BLUE)
    c.query(_GOLD_FOR_BLUE.boundary)
    a.resume()
    c.query(_GOLD_FOR_BLUE.boundary)


def reader_between(stage: Stage) -> None:
    """B reads when A's claim is written and not committed, and appends afterwards, on what it has read."""
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_COMMIT)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    a.resume()
    b.append(_GOLD_FOR_BLUE, seen_by_b)
