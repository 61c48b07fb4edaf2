"""Which events say that a command cannot be carried out: the grounds of a refusal, found by leaving events out.

No slice names its grounds. They are what its own `evolve` and `decide` answer differently without.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import Any, Final, TypeAlias

from eventstore import SequencedEvent
from slices.codec import decode
from slices.decision import AnyDecision, Append, Reject, Rejection
from slices.domain_event import DomainEvent
from slices.explaining import Explanation, rules_of, slice_of

MOST_EXAMINED: Final = 200
"""Events of a boundary that are left out, one after the other, the newest first. For each, what came after it is folded
anew: at most 20,000 events all together, however long the history."""

Ids: TypeAlias = frozenset[tuple[str, str]]
"""Whom or what something is about. Events about the very same are one story: lent, returned, lent again."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a refusal follows from.

    Attributes:
        events: newest first; none if the refusal rests on what never happened.
        examined_all: whether the whole boundary was looked at, and not only its newest events.
    """

    events: tuple[SequencedEvent, ...] = ()
    examined_all: bool = True


NO_GROUNDS: Final = Grounds()


def grounds_of(command: Any, explained: Explanation) -> Grounds:
    """The events that say so.

    An event says so if the refusal would be another one, or none, had the event's story ended before it. The whole
    rest of the story is left out, for without a loan there is no return either; and of each story the last such event
    counts, for a loan that is over says nothing. An event without which an earlier rule would have spoken only led to
    the question. If there are no other, those about exactly what the reason names say so: that the copy is free,
    because it was added.

    >>> grounds_of(command, explain(store, command)).events
    (SequencedEvent(sequence_number=4, event_type='BookCopyLentToReader', …),)

    Args:
        command: of any slice.
        explained: what became of it, or would.
    """
    decision = explained.decision
    if not isinstance(decision, Reject):
        return NO_GROUNDS
    rules = slice_of(command).refusals
    turns = list(_turns(command, explained.events, decision.reason))
    further = [event for event, without, _ in turns if _gets_further(without, decision.reason, rules)]
    about_the_same = [event for event, _, ids in turns if ids == _ids_of(decision.reason)]
    return Grounds(tuple(further or about_the_same), len(explained.events) <= MOST_EXAMINED)


def _turns(
    command: Any, found: Sequence[SequencedEvent], reason: Rejection
) -> Iterator[tuple[SequencedEvent, AnyDecision, Ids]]:
    """For each story the last event that led to this refusal, and what was decided without it, newest first."""
    rules = rules_of(command)
    history: list[DomainEvent] = [decode(event) for event in found]
    stories = [_ids_of(event) for event in history]
    states = list(accumulate(history, rules.evolve, initial=rules.State.of(command)))
    told: set[Ids] = set()
    for place in reversed(range(max(0, len(history) - MOST_EXAMINED), len(history))):
        story = stories[place]
        if story in told:
            continue
        later = (event for event, other in zip(history[place:], stories[place:], strict=True) if other != story)
        without: AnyDecision = rules.decide(reduce(rules.evolve, later, states[place]), command)
        if not (isinstance(without, Reject) and without.reason == reason):
            told.add(story)
            yield found[place], without, story


def _gets_further(without: AnyDecision, reason: Rejection, rules: Sequence[str]) -> bool:
    match without:
        case Append():
            return True
        case Reject(other):
            return rules.index(other.name) >= rules.index(reason.name)
        case _:
            return False


def _ids_of(said: DomainEvent | Rejection) -> Ids:
    names = said.__struct_fields__ if isinstance(said, DomainEvent) else said.__dataclass_fields__
    return frozenset((name, getattr(said, name)) for name in names if name.endswith("_id"))
