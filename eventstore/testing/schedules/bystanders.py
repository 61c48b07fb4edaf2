"""Those who ask for no guard: what they write, others depend on all the same."""

from eventstore.testing.gates import Gate
from eventstore.testing.oracle import Claim
from eventstore.testing.stage import Stage

_GOLD_FOR_RED = Claim("gold", "red")
_GOLD_FOR_BLUE = Claim("gold", "blue")
_SILVER_FOR_GREEN = Claim("silver", "green")


def open_unconditional(stage: Stage) -> None:
    """A claims the prize without any condition and has not committed. B's guard must not miss it."""
    a, b = stage.a, stage.b
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    a.append(_GOLD_FOR_RED, until=Gate.BEFORE_COMMIT)
    b.append(_GOLD_FOR_BLUE, seen_by_b)
    a.resume()


def foreign_insert_open(stage: Stage) -> None:
    """Somebody has inserted the claim by hand, in a transaction that is still open. B's guard must not miss it."""
    b, x = stage.b, stage.x
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    x.insert(_GOLD_FOR_RED)
    b.append(_GOLD_FOR_BLUE, seen_by_b)
    x.commit()


def foreign_copy_open(stage: Stage) -> None:
    """The same with COPY."""
    b, x = stage.b, stage.x
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    x.copy(_GOLD_FOR_RED)
    b.append(_GOLD_FOR_BLUE, seen_by_b)
    x.commit()


def foreign_insert_taken_back(stage: Stage) -> None:
    """Somebody has inserted the claim by hand and thinks better of it. Nothing stands in B's way any more."""
    b, x = stage.b, stage.x
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    x.insert(_GOLD_FOR_RED)
    attempt = b.append(_GOLD_FOR_BLUE, seen_by_b)
    x.roll_back()
    stage.one_must_win(attempt)


def two_strangers(stage: Stage) -> None:
    """Nobody here knows the store: X's row must all the same not appear below Y's, which B has seen."""
    b, x, y = stage.b, stage.x, stage.y
    x.insert(_GOLD_FOR_RED)
    y.insert_and_commit(_SILVER_FOR_GREEN)
    b.query(_GOLD_FOR_RED.boundary)
    x.commit()
    b.query(_GOLD_FOR_RED.boundary)


def foreign_insert_second(stage: Stage) -> None:
    """The other way round: A is open when somebody inserts by hand. Its row must not be seen before A's."""
    a, c, x = stage.a, stage.c, stage.x
    a.append(_GOLD_FOR_RED, until=Gate.BEFORE_COMMIT)
    x.insert_and_commit(_SILVER_FOR_GREEN)
    c.query(_GOLD_FOR_RED.boundary)
    a.resume()
    c.query(_GOLD_FOR_RED.boundary)
