"""Who may win: exactly one of those who decide about the same thing, and everybody else."""

from eventstore.testing.gates import Gate
from eventstore.testing.oracle import Claim
from eventstore.testing.stage import Stage

_GOLD_FOR_RED = Claim("gold", "red")
_GOLD_FOR_BLUE = Claim("gold", "blue")
_GOLD_FOR_GREEN = Claim("gold", "green")
_SILVER_FOR_BLUE = Claim("silver", "blue")
_NOISE = Claim("noise", "nobody")


def in_turn(stage: Stage) -> None:
    """Both have seen the prize free. B appends when A has committed already."""
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    first = a.append(_GOLD_FOR_RED, seen_by_a)
    b.append(_GOLD_FOR_BLUE, seen_by_b)
    stage.one_must_win(first)


def at_commit(stage: Stage) -> None:
    """Both have seen the prize free. B appends while A's claim is written and not committed."""
    _two_writers(stage, Gate.BEFORE_COMMIT)


def at_row(stage: Stage) -> None:
    """The same, but A's claim is not even written: guard and number are determined."""
    _two_writers(stage, Gate.BEFORE_FIRST_ROW)


def _two_writers(stage: Stage, gate: Gate) -> None:
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    first = a.append(_GOLD_FOR_RED, seen_by_a, until=gate)
    second = b.append(_GOLD_FOR_BLUE, seen_by_b)
    a.resume()
    stage.one_must_win(first, second)


def batch_second(stage: Stage) -> None:
    """B appends two events at once while A is open, which a store may guard in another way than a single one."""
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    first = a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_COMMIT)
    second = b.append(_GOLD_FOR_BLUE, seen_by_b, size=2)
    a.resume()
    stage.one_must_win(first, second)


def disjoint(stage: Stage) -> None:
    """Other prizes, other teams: both win, whoever is held and wherever."""
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_SILVER_FOR_BLUE.boundary)
    first = a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_FIRST_ROW)
    second = b.append(_SILVER_FOR_BLUE, seen_by_b)
    a.resume()
    stage.one_must_win(first)
    stage.one_must_win(second)


def far_behind(stage: Stage) -> None:
    """B decides on a position that lies a thousand events back, and the one that counts is being appended."""
    a, b, c = stage.a, stage.b, stage.c
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    c.append(_NOISE, size=1001)
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    first = a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_COMMIT)
    second = b.append(_GOLD_FOR_BLUE, seen_by_b)
    a.resume()
    stage.one_must_win(first, second)


def two_heirs(stage: Stage) -> None:
    """B and C stand behind A. A dies, so the prize is still free: one of the two gets it."""
    a, b, c = stage.a, stage.b, stage.c
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    seen_by_c = c.query(_GOLD_FOR_GREEN.boundary)
    a.append(_GOLD_FOR_RED, seen_by_a, until=Gate.BEFORE_COMMIT)
    second = b.append(_GOLD_FOR_BLUE, seen_by_b)
    third = c.append(_GOLD_FOR_GREEN, seen_by_c)
    a.die()
    stage.one_must_win(second, third)
