"""The rules of ending holds: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import Never, TypeAlias

from msgspec import Struct

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing
from slices.domain_event import stored_types
from slices.lending.events import BookHeldForReader, BookHoldExpired
from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.waiting_list import NOBODY_WAITS, QueueEvent, WaitingList

Relevant: TypeAlias = QueueEvent
Happens: TypeAlias = BookHoldExpired | BookHeldForReader


def boundary(command: ExpireHolds) -> Filter:
    """The waiting list of this copy."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("BookID", command.book_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy: who waits for it, and until when it is held."""

    waiting: WaitingList = NOBODY_WAITS

    @classmethod
    def of(cls, _command: ExpireHolds) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    return State(state.waiting.after(event))


def decide(state: State, command: ExpireHolds) -> Decision[Happens, Never]:
    """The first rule that applies decides."""
    held_for, held_until = state.waiting.held_for, state.waiting.held_until
    if held_for is None or held_until is None or command.occurred_at <= held_until:
        return Nothing()
    expired = BookHoldExpired(command.book_id, held_for, occurred_at=command.occurred_at)
    remaining = state.waiting.without(held_for)
    return Append(expired, *remaining.next_hold(command.book_id, command.occurred_at))
