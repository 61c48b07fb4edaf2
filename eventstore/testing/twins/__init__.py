"""Broken twins: why each alternative was turned down, executable.

Each does what our store does, but for one idea that looks just as good, and each is convicted by a deterministic
schedule. They also prove the schedules: one that convicts nobody could not fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from eventstore.testing.judgement import Flaw
from eventstore.testing.port import RaceSubject
from eventstore.testing.twins import altered
from eventstore.testing.twins.altered import OneByOne, OurSubject, PositionFromSequence
from eventstore.testing.twins.cte_guard import CteGuard, LockInCte
from eventstore.testing.twins.plain import PlainSubject
from eventstore.testing.twins.transactions import PredicateLocks, Serializable


@dataclass(frozen=True, slots=True)
class Contender:
    """A kind of store that the kit's commands know.

    Attributes:
        idea: what it does, in a few words.
        subject: the store.
        convicted_by: the schedule that was written against this idea; empty for a store that is sound.
        of: what this schedule finds.
    """

    idea: str
    subject: RaceSubject
    convicted_by: str = ""
    of: Flaw | None = None


OURS: Final = "postgres"

_TWO_WRITERS: Final = "two-writers-at-commit"

CONTENDERS: Final[Mapping[str, Contender]] = MappingProxyType(
    {
        OURS: Contender("one lock, then the guard, then the number", OurSubject()),
        "cte-guard": Contender(
            "the seed's statement: MAX in a CTE of the INSERT", PlainSubject(CteGuard), _TWO_WRITERS, Flaw.LOST_GUARD
        ),
        "lock-in-cte": Contender(
            "the same, with a lock in the statement", PlainSubject(LockInCte), _TWO_WRITERS, Flaw.LOST_GUARD
        ),
        "predicate-locks": Contender(
            "MAX under one lock per predicate", PlainSubject(PredicateLocks), "three-sessions", Flaw.LOST_GUARD
        ),
        "serializable": Contender(
            "SERIALIZABLE, the query apart", PlainSubject(Serializable), "three-sessions", Flaw.LOST_GUARD
        ),
        "repeatable-read": Contender(
            "ours at REPEATABLE READ, unchecked",
            OurSubject((altered.WITHOUT_ISOLATION_CHECK,), isolation="repeatable read"),
            _TWO_WRITERS,
            Flaw.LOST_GUARD,
        ),
        "no-lock": Contender(
            "ours without the append lock", OurSubject((altered.WITHOUT_LOCK,)), _TWO_WRITERS, Flaw.LOST_GUARD
        ),
        "no-guard": Contender(
            "ours, the guard left out", OurSubject((altered.WITHOUT_GUARD,)), "two-writers-in-turn", Flaw.LOST_GUARD
        ),
        "head-before-lock": Contender(
            "ours, the head read before the lock",
            OurSubject((altered.HEAD_BEFORE_LOCK,)),
            "two-writers-at-row",
            Flaw.LOST_GUARD,
        ),
        "lock-if-guarded": Contender(
            "ours, unconditional appends without the lock",
            OurSubject((altered.WITHOUT_LOCK_IN_TRIGGER, altered.LOCK_IF_GUARDED)),
            "open-unconditional",
            Flaw.LOST_GUARD,
        ),
        "no-lock-in-trigger": Contender(
            "ours, hand-written INSERTs without the lock",
            OurSubject((altered.WITHOUT_LOCK_IN_TRIGGER,)),
            "foreign-insert-open",
            Flaw.LOST_GUARD,
        ),
        "sequence-position": Contender(
            "ours, the position read from the sequence",
            OurSubject(client=PositionFromSequence),
            "reader-between",
            Flaw.LOST_GUARD,
        ),
        "no-filter": Contender(
            "ours, the guard meets any newer event",
            OurSubject((altered.WITHOUT_FILTER,)),
            "disjoint-boundaries",
            Flaw.FALSE_CONFLICT,
        ),
        "refuse-if-busy": Contender(
            "ours, whoever would have to wait is refused",
            OurSubject((altered.REFUSE_IF_BUSY,)),
            "foreign-taken-back",
            Flaw.FALSE_CONFLICT,
        ),
        "one-by-one": Contender(
            "ours, a batch as single appends",
            OurSubject(client=OneByOne),
            "batch-in-the-middle",
            Flaw.PART_OF_A_BATCH,
        ),
        "no-event-ids": Contender(
            "ours, the event ids not looked up",
            OurSubject((altered.WITHOUT_EVENT_IDS,)),
            "retry-in-flight",
            Flaw.WRONG_ANSWER,
        ),
    }
)
"""Our store first, then its broken twins."""


__all__ = ["CONTENDERS", "OURS", "Contender"]
