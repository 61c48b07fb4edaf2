"""The rules of giving up: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import Never, TypeAlias

from msgspec import Struct

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing
from slices.domain_event import stored_types
from slices.lending.cancel_reservation.command import CancelReservation
from slices.lending.events import BookHeldForReader, BookReservationCanceled
from slices.lending.waiting_list import NOBODY_WAITS, QueueEvent, WaitingList

Relevant: TypeAlias = QueueEvent
Happens: TypeAlias = BookReservationCanceled | BookHeldForReader


def boundary(command: CancelReservation) -> Filter:
    """The waiting list of this copy: when a hold ends, it is the next reader's turn."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("BookID", command.book_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy: who waits for it."""

    waiting: WaitingList = NOBODY_WAITS

    @classmethod
    def of(cls, _command: CancelReservation) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    return State(state.waiting.after(event))


def decide(state: State, command: CancelReservation) -> Decision[Happens, Never]:
    """The first rule that applies decides."""
    if command.reader_id not in state.waiting.readers:
        return Nothing()
    canceled = BookReservationCanceled(command.book_id, command.reader_id, occurred_at=command.occurred_at)
    if state.waiting.held_for != command.reader_id:
        return Append(canceled)
    remaining = state.waiting.without(command.reader_id)
    return Append(canceled, *remaining.next_hold(command.book_id, command.occurred_at))
