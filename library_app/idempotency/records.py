"""What is kept for each Idempotency-Key.

claim ──► nobody had the key: Claimed ──► decide ──► finish: the answer is kept
  ├─────► answered already: Answered
  ├─────► somebody is at it: InFlight (or, after half a minute, Claimed: whoever was at it has died)
  └─────► the key stands for another request: whoever asked compares `request` and refuses
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeAlias
from uuid import UUID

from slices.web import JsonAnswer

ABANDONED_AFTER_SECONDS: Final = 30
"""A claim without an answer is given to the next who asks after this time: no request takes so long."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a key stands for: a route and the hash of what was asked."""

    route: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The caller may carry the command out.

    Attributes:
        request: what the key stands for.
        token: proves the claim to `finish` and `abandon`.
        occurred_at: when the command happens. A second claim gets the time of the first, so that a command that is
            carried out again makes the same events, byte by byte.
        again: somebody had claimed the key before and left no answer, but perhaps events.
    """

    request: Request
    token: UUID
    occurred_at: datetime
    again: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was carried out; this was the answer."""

    request: Request
    answer: JsonAnswer


@dataclass(frozen=True, slots=True)
class InFlight:
    """Somebody is carrying the command out."""

    request: Request


Claim: TypeAlias = Claimed | Answered | InFlight


class IdempotencyRecords(Protocol):
    """The port: where keys and answers are kept. Each method is one atomic step."""

    def claim(self, key: str, request: Request, occurred_at: datetime) -> Claim:
        """Ask for a key.

        Args:
            key: the client's.
            request: what it shall stand for, if it is new.
            occurred_at: when the command happens, if the key is new.
        """
        ...

    def finish(self, key: str, token: UUID, answer: JsonAnswer) -> None:
        """Keep the answer. Does nothing if the claim was given to somebody else meanwhile."""
        ...

    def abandon(self, key: str, token: UUID) -> None:
        """Give the claim back without an answer: the next who asks gets it at once."""
        ...
