"""What a live model answers, and how fresh it is."""

from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class LiveAnswer(Generic[V]):
    """What was asked for.

    Attributes:
        view: the answer.
        position: everything up to here is in it.
        head: the newest event of the store at the same moment.
        is_behind: a position was asked for, and the model has not reached it in time.
        is_stopped: the model met something that waiting does not mend, and takes no events in until that is done.
    """

    view: V
    position: int
    head: int
    is_behind: bool = False
    is_stopped: bool = False
