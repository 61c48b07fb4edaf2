"""The judge of a race: it replays the log and looks at what each accepted event had seen.

Counting successes proves nothing, since lost guards satisfy any sum. So every writer of a race writes into its event
what it was guarded by: the two keys of its boundary and the position read up to. An accepted event is right exactly
if no event that its boundary matches lies between that position and itself.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filter_builder import FilterBuilder
from eventstore.filters import Filter, P
from eventstore.store import AppendCondition

CLAIMED = "PrizeClaimed"


@dataclass(frozen=True, slots=True)
class Claim:
    """One decision of a race: somebody claims a prize for a team, having seen the log up to a position.

    Prize and team stand for book and reader, or course and student: the boundary is what happened to either.
    """

    prize: str
    team: str
    writer: int

    @property
    def boundary(self) -> Filter:
        """What the decision depends on: claims of this prize or by this team."""
        return (
            FilterBuilder()
            .matching()
            .any_event_type_of(CLAIMED)
            .and_any_predicate_of(P("Prize", self.prize), P("Team", self.team))
            .finalize()
        )

    def event(self, condition: AppendCondition, now: datetime) -> StorableEvent:
        """The event that records the claim and what it was guarded by."""
        payload = {"Prize": self.prize, "Team": self.team, "Writer": self.writer, "ReadUpTo": condition.after}
        return StorableEvent.build(CLAIMED, now, payload=json.dumps(payload).encode())


@dataclass(frozen=True, slots=True)
class LostGuard:
    """An accepted event, and the one before it that its guard should have met."""

    accepted: int
    read_up_to: int
    overlooked: int

    def __str__(self) -> str:
        return (
            f"event {self.accepted} was accepted although its writer had read only up to {self.read_up_to}"
            f" and event {self.overlooked} is in its boundary"
        )


def lost_guards(log: Iterable[SequencedEvent]) -> list[LostGuard]:
    """Replay the claims of a race, in sequence order, and return every accepted event whose guard did not hold.

    Raises:
        AssertionError: if the log is not in sequence order.
    """
    found: list[LostGuard] = []
    newest_of_prize: dict[str, int] = {}
    newest_of_team: dict[str, int] = {}
    previous = 0
    for event in log:
        assert event.sequence_number > previous, f"{event.sequence_number} comes after {previous}"
        previous = event.sequence_number
        claim = json.loads(event.payload)
        newest = max(newest_of_prize.get(claim["Prize"], 0), newest_of_team.get(claim["Team"], 0))
        if newest > claim["ReadUpTo"]:
            found.append(LostGuard(event.sequence_number, claim["ReadUpTo"], newest))
        newest_of_prize[claim["Prize"]] = newest_of_team[claim["Team"]] = event.sequence_number
    return found


def winners_per_prize(log: Iterable[SequencedEvent]) -> dict[str, Sequence[int]]:
    """Who claimed each prize, by writer, in sequence order."""
    winners: dict[str, list[int]] = {}
    for event in log:
        claim = json.loads(event.payload)
        winners.setdefault(claim["Prize"], []).append(claim["Writer"])
    return dict(winners)
