"""What came of a schedule: a rung for each step, with everything that either session did or met in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from eventstore import SequencedEvent
from library_app.race.schedule import Move, Who
from slices.audit import Objection
from slices.decision import AnyDecision
from slices.outcome import Conflict, StoredEvent


@dataclass(frozen=True, slots=True)
class Read:
    """A query was answered: these events, and the head of the log."""

    events: tuple[StoredEvent, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Decided:
    """The slice decided on what had been read."""

    decision: AnyDecision


@dataclass(frozen=True, slots=True)
class Held:
    """The append waits for the lock, which the other session holds."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """The append went through, and is not committed yet.

    Attributes:
        after: the position its guard looked from; None for an append without a condition.
    """

    event: StoredEvent
    after: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The guard met an event, and the transaction was rolled back. The command starts again from its query."""

    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Committed:
    """The event can be seen by everybody from now on."""

    event: StoredEvent


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was carried out; this is what it came to."""

    decision: AnyDecision


Note: TypeAlias = Read | Decided | Held | Inserted | Refused | Committed | Answered


@dataclass(frozen=True, slots=True)
class Rung:
    """A step, and all that followed from it until nothing moved any more.

    Attributes:
        move: who took which step.
        notes: of each session, in order.
        holding: the sessions that have an open transaction after it.
        held: the session that waits for the lock after it, if one does.
    """

    move: Move
    notes: Mapping[Who, tuple[Note, ...]]
    holding: frozenset[Who]
    held: Who | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A schedule that was played.

    Attributes:
        guarded: False for the guard of the seed.
        names: of the readers.
        prize: the copy that both want.
        before: what had happened already.
        rungs: the steps that were taken.
        possible: the steps that can come next.
        held: the session that waits for the lock at the end, if one does.
        impossible: the step of the schedule that could not be taken; what came after it was not tried.
        got: the events that gave somebody the copy, as the log has them.
        objections: what an auditor of the log objects to.
    """

    guarded: bool
    names: Mapping[Who, str]
    prize: str
    before: tuple[StoredEvent, ...]
    rungs: tuple[Rung, ...]
    possible: tuple[Move, ...]
    held: Who | None
    impossible: Move | None
    got: tuple[SequencedEvent, ...]
    objections: tuple[Objection, ...]

    @property
    def moves(self) -> tuple[Move, ...]:
        """The part of the schedule that was played."""
        return tuple(rung.move for rung in self.rungs)

    @property
    def is_complete(self) -> bool:
        """True if both commands were answered."""
        return not self.possible and self.held is None
