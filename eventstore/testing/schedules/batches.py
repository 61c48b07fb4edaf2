"""All or none, once: batches, writers that die, and appends that are repeated."""

from eventstore.testing.gates import Gate
from eventstore.testing.oracle import Claim
from eventstore.testing.stage import Stage

_GOLD_FOR_RED = Claim("gold", "red")
_GOLD_FOR_BLUE = Claim("gold", "blue")


def in_the_middle(stage: Stage) -> None:
    """B reads when the first event of A's batch is written, and again when both are and nothing is committed."""
    a, b = stage.a, stage.b
    a.append(_GOLD_FOR_RED, size=2, until=Gate.BEFORE_SECOND_ROW)
    b.query(_GOLD_FOR_RED.boundary)
    a.resume(until=Gate.BEFORE_COMMIT)
    b.query(_GOLD_FOR_RED.boundary)
    a.resume()
    b.query(_GOLD_FOR_RED.boundary)


def writer_dies(stage: Stage) -> None:
    """A dies in the middle of its batch. Nothing of it stays, and B, who may have waited, wins."""
    a, b = stage.a, stage.b
    seen_by_a = a.query(_GOLD_FOR_RED.boundary)
    seen_by_b = b.query(_GOLD_FOR_BLUE.boundary)
    a.append(_GOLD_FOR_RED, seen_by_a, size=2, until=Gate.BEFORE_SECOND_ROW)
    attempt = b.append(_GOLD_FOR_BLUE, seen_by_b)
    a.die()
    if attempt.was_refused:  # a store may refuse rather than wait; then B decides anew
        attempt = b.append(_GOLD_FOR_BLUE, b.query(_GOLD_FOR_BLUE.boundary))
    stage.one_must_win(attempt)


def retry_in_flight(stage: Stage) -> None:
    """A's client got no answer and repeats the append on another connection, while the first one is still open."""
    a, b = stage.a, stage.b
    seen = a.query(_GOLD_FOR_RED.boundary)
    attempt = a.append(_GOLD_FOR_RED, seen, until=Gate.BEFORE_COMMIT)
    b.repeat(attempt)
    a.resume()
