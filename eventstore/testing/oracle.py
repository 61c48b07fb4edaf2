"""The judge of a race: it replays the log and looks at what each accepted event had seen.

Counting successes proves nothing, since lost guards satisfy any sum. Nor is it enough to look between the position
read up to and the event: an event may become visible below that position later. So every writer writes into its event
exactly which events its decision was based on. An accepted event is right if and only if these are all the events of
its boundary that come before it in the log.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filter_builder import FilterBuilder
from eventstore.filters import Filter, P
from eventstore.store import EventStream

CLAIMED = "PrizeClaimed"
KEYS = ("Prize", "Team")
"""The keys of the payload by which a boundary finds a claim."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One decision of a race: a prize is claimed for a team.

    Prize and team stand for book and reader, or course and student: the boundary is what happened to either.
    """

    prize: str
    team: str

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

    def event(self, writer: object, seen: EventStream | None, now: datetime) -> StorableEvent:
        """The event that records the claim and what the decision was based on; None if it was based on nothing."""
        [event] = self.batch(writer, seen, now, 1)
        return event

    def batch(self, writer: object, seen: EventStream | None, now: datetime, size: int) -> tuple[StorableEvent, ...]:
        """Several events of one append, all of the same claim, which are no conflict with one another."""
        payload: dict[str, object] = {"Prize": self.prize, "Team": self.team, "Writer": str(writer)}
        payload["Append"] = uuid.uuid4().hex
        if seen is not None:
            payload["ReadUpTo"] = seen.position
            payload["Seen"] = " ".join(str(event.sequence_number) for event in seen)  # text, or an index takes each
        text = json.dumps(payload).encode()
        return tuple(StorableEvent.build(CLAIMED, now, payload=text) for _ in range(size))


@dataclass(frozen=True, slots=True)
class LostGuard:
    """An accepted event, and the newest one before it that its writer should have known and did not."""

    accepted: int
    read_up_to: int
    overlooked: int

    def __str__(self) -> str:
        return (
            f"event {self.accepted} was accepted although its writer, who had read up to {self.read_up_to},"
            f" did not know event {self.overlooked}, which is in its boundary"
        )


def lost_guards(log: Iterable[SequencedEvent]) -> list[LostGuard]:
    """Replay the claims of a race, in sequence order, and return every accepted event whose guard did not hold.

    A claim that was appended without a condition overlooks nothing; others must not overlook it.

    Raises:
        AssertionError: if the log is not in sequence order.
    """
    found: list[LostGuard] = []
    history: dict[tuple[str, str], dict[int, str]] = {}  # by key and value: number → append
    previous = 0
    for event in log:
        number = event.sequence_number
        assert number > previous, f"{number} comes after {previous}"
        previous = number
        claim = json.loads(event.payload)
        of_prize, of_team = (history.setdefault((key, claim[key]), {}) for key in KEYS)
        if "Seen" in claim:
            seen = {int(known) for known in claim["Seen"].split()}
            before = of_prize | of_team
            overlooked = [one for one, append in before.items() if one not in seen and append != claim["Append"]]
            if overlooked:
                found.append(LostGuard(number, claim["ReadUpTo"], max(overlooked)))
        of_prize[number] = of_team[number] = claim["Append"]
    return found


def winners_per_prize(log: Iterable[SequencedEvent]) -> dict[str, Sequence[str]]:
    """Who claimed each prize, by writer, in sequence order."""
    winners: dict[str, list[str]] = {}
    for event in log:
        claim = json.loads(event.payload)
        winners.setdefault(claim["Prize"], []).append(claim["Writer"])
    return dict(winners)
