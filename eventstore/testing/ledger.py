"""What writers know about their appends, and the comparison of that knowledge with the log.

Every writer enters an append *before* it sends it, and what became of it as soon as it knows. Whatever happens to
server and network in between, the log must agree with the ledger: that is all of G3, G4 and G5 of README.md.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from uuid import UUID

from eventstore.events import SequencedEvent, StorableEvent
from eventstore.testing.oracle import CLAIMED, lost_guards


class Outcome(Enum):
    """What a writer knows about an append."""

    UNKNOWN = "not answered yet, or not for certain"
    ACKNOWLEDGED = "the store returned sequence numbers"
    REFUSED = "the store said that nothing was written"


@dataclass(slots=True)
class Entry:
    """One append: its events in argument order, and what its writer knows.

    >>> entry = Entry(writer=3, events=(lent, fined))  # doctest: +SKIP
    >>> entry.acknowledge(store.append(*entry.events))  # doctest: +SKIP
    """

    writer: int
    events: tuple[StorableEvent, ...]
    outcome: Outcome = Outcome.UNKNOWN
    numbers: tuple[int, ...] = ()

    def acknowledge(self, numbers: Iterable[int]) -> None:
        """The store returned these numbers."""
        self.numbers = tuple(numbers)  # first, for another thread may look at the outcome
        self.outcome = Outcome.ACKNOWLEDGED

    def refuse(self) -> None:
        """The store said that nothing was written."""
        self.outcome = Outcome.REFUSED


class Promise(Enum):
    """What a log must keep to."""

    DURABLE = "what was acknowledged is stored"
    NUMBERED = "an event has the number it was acknowledged with"
    ONCE = "no event is stored twice"
    WHOLE = "a batch is stored as a whole"
    IN_ORDER = "a batch is stored in its order, and the log in that of its numbers"
    UNCHANGED = "an event is stored as it was sent, and stays where it was seen"
    REFUSED = "what was refused is not stored"
    SENT = "nothing is stored that nobody sent"
    GUARDED = "nothing is stored past its guard"
    ANSWERED = "the store answers only what can be true"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept, and by which event."""

    promise: Promise
    details: str

    def __str__(self) -> str:
        return f"broken: {self.promise.value}: {self.details}"


_Places = Mapping[UUID, Sequence[SequencedEvent]]


def places(log: Iterable[SequencedEvent]) -> _Places:
    """Where in the log each event id stands."""
    found: dict[UUID, list[SequencedEvent]] = defaultdict(list)
    for stored in log:
        found[stored.event_id].append(stored)
    return found


def violations(entries: Sequence[Entry], log: Sequence[SequencedEvent]) -> list[Violation]:
    """Compare the ledger of all writers with the log, in the order in which the store returned it."""
    where = places(log)
    found = [
        *unkept_acknowledgements(entries, where),
        *_strangers(entries, log),
        *(violation for entry in entries for violation in _broken_by(entry, where)),
    ]
    disorder = [
        Violation(Promise.IN_ORDER, f"event {second.sequence_number} comes after event {first.sequence_number}")
        for first, second in pairwise(log)
        if first.sequence_number >= second.sequence_number
    ]
    return [*found, *disorder, *([] if disorder else _lost_guards(entries, log))]


def unkept_acknowledgements(entries: Iterable[Entry], where: _Places) -> list[Violation]:
    """The acknowledged events that are missing, or stand elsewhere than was said. Quick: looks at nothing else."""
    found: list[Violation] = []
    for entry in entries:
        if entry.outcome is not Outcome.ACKNOWLEDGED:
            continue
        if len(entry.numbers) != len(entry.events):
            details = f"writer {entry.writer} got {len(entry.numbers)} numbers for {len(entry.events)} events"
            found.append(Violation(Promise.ANSWERED, details))
        for event, number in zip(entry.events, entry.numbers, strict=False):
            stored = where.get(event.event_id, ())
            if not stored:
                found.append(Violation(Promise.DURABLE, f"{_name(entry, event)}, acknowledged as {number}, is lost"))
            elif number not in {one.sequence_number for one in stored}:
                is_now = stored[0].sequence_number
                found.append(
                    Violation(Promise.NUMBERED, f"{_name(entry, event)} was acknowledged as {number} and is {is_now}")
                )
    return found


def _broken_by(entry: Entry, where: _Places) -> Iterable[Violation]:
    copies = [where.get(event.event_id, ()) for event in entry.events]
    for event, stored in zip(entry.events, copies, strict=True):
        if len(stored) > 1:
            numbers = ", ".join(str(one.sequence_number) for one in stored)
            yield Violation(Promise.ONCE, f"{_name(entry, event)} is stored as {numbers}")
        if any(not _same(event, one) for one in stored):
            yield Violation(Promise.UNCHANGED, f"{_name(entry, event)} has other content")
    present = [stored[0].sequence_number for stored in copies if stored]
    if present and len(present) < len(copies):
        name = _name(entry, entry.events[0])
        yield Violation(Promise.WHOLE, f"of the {len(copies)} events from {name} on, {len(present)} are stored")
    if present != sorted(present):
        yield Violation(Promise.IN_ORDER, f"the batch from {_name(entry, entry.events[0])} on is stored as {present}")
    if present and entry.outcome is Outcome.REFUSED:
        yield Violation(Promise.REFUSED, f"{_name(entry, entry.events[0])} is stored as {present[0]}")


def _strangers(entries: Iterable[Entry], log: Iterable[SequencedEvent]) -> Iterable[Violation]:
    sent = {event.event_id for entry in entries for event in entry.events}
    for stored in log:
        if stored.event_id not in sent:
            yield Violation(Promise.SENT, f"nobody sent event {stored.sequence_number} ({stored.event_id})")


def _lost_guards(entries: Iterable[Entry], log: Iterable[SequencedEvent]) -> list[Violation]:
    sent = {event.event_id for entry in entries for event in entry.events if event.event_type == CLAIMED}
    claims = [stored for stored in log if stored.event_id in sent]
    return [Violation(Promise.GUARDED, str(lost)) for lost in lost_guards(claims)]


def _same(sent: StorableEvent, stored: SequencedEvent) -> bool:
    return (
        (sent.event_type, sent.occurred_at) == (stored.event_type, stored.occurred_at)
        and json.loads(sent.payload) == json.loads(stored.payload)
        and json.loads(sent.metadata) == json.loads(stored.metadata)
    )


def _name(entry: Entry, event: StorableEvent) -> str:
    return f"event {event.event_id} of writer {entry.writer}"
