"""What a command can come to: something happens, nothing needs to happen, or it is refused for a reason."""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias, TypeVar

from slices.domain_event import DomainEvent

E_co = TypeVar("E_co", bound=DomainEvent, covariant=True)
R_co = TypeVar("R_co", bound="Rejection", covariant=True)


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
class Append(Generic[E_co]):
    """These events happen, all or none.

    >>> Append(course_defined).events == (course_defined,)
    True
    """

    events: tuple[E_co, ...]

    def __init__(self, first: E_co, /, *more: E_co) -> None:
        object.__setattr__(self, "events", (first, *more))


@dataclass(frozen=True, slots=True)
class Nothing:
    """What was asked for is the case already. The command succeeds and writes nothing (it is idempotent)."""


@dataclass(frozen=True, slots=True)
class Reject(Generic[R_co]):
    """The rules forbid it.

    Attributes:
        reason: why.
        failure_event: puts the refusal on record, if the domain wants that. It lies in no boundary, so it is appended
            without a condition and never causes a conflict.
    """

    reason: R_co
    failure_event: DomainEvent | None = None


Decision: TypeAlias = Append[E_co] | Nothing | Reject[R_co]
"""What `decide` of a slice answers: `Decision[Happens, Refusal]` names the events that it can bring about and the
reasons it can refuse for. The type checker holds `decide` to it, and the map of slices is drawn from it."""

AnyDecision: TypeAlias = Decision[DomainEvent, Rejection]
