"""What a command can come to: something happens, nothing needs to happen, or it is refused for a reason."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from slices.domain_event import DomainEvent


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a command was refused. A value and not an exception: a refusal is an answer of the domain.

    Each context lists its reasons in its `rejections.py`, one class per reason; the fields say whom it concerns.

    Attributes:
        name: stable; stored in failure events and told to clients of the API.
        message: one sentence in the words of the person who is told it.
    """

    name: ClassVar[str]
    message: ClassVar[str]


@dataclass(frozen=True, slots=True, init=False)
class Append:
    """These events happen, all or none.

    >>> Append(course_defined).events == (course_defined,)
    True
    """

    events: tuple[DomainEvent, ...]

    def __init__(self, first: DomainEvent, /, *more: DomainEvent) -> None:
        object.__setattr__(self, "events", (first, *more))


@dataclass(frozen=True, slots=True)
class Nothing:
    """What was asked for is the case already. The command succeeds and writes nothing (it is idempotent)."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The rules forbid it.

    Attributes:
        reason: why.
        failure_event: puts the refusal on record, if the domain wants that. It lies in no boundary, so it is appended
            without a condition and never causes a conflict.
    """

    reason: Rejection
    failure_event: DomainEvent | None = None


Decision: TypeAlias = Append | Nothing | Reject
