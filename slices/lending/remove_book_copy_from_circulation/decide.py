"""The rules of taking a copy out: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyRemovedFromCirculation,
    BookCopyReturnedByReader,
    RemovingBookFromCirculationFailed,
)
from slices.lending.rejections import BookCurrentlyLent, BookNeverAdded
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation

Relevant: TypeAlias = (
    BookCopyAddedToCirculation | BookCopyRemovedFromCirculation | BookCopyLentToReader | BookCopyReturnedByReader
)
Happens: TypeAlias = BookCopyRemovedFromCirculation
Refusal: TypeAlias = BookNeverAdded | BookCurrentlyLent


def boundary(command: RemoveBookCopyFromCirculation) -> Filter:
    """Where this copy was. Who waits for it does not matter."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("BookID", command.book_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy."""

    was_added: bool = False
    is_in_circulation: bool = False
    is_lent_to: str | None = None

    @classmethod
    def of(cls, _command: RemoveBookCopyFromCirculation) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case BookCopyAddedToCirculation():
            return replace(state, was_added=True, is_in_circulation=True)
        case BookCopyRemovedFromCirculation():
            return replace(state, is_in_circulation=False)
        case BookCopyLentToReader(reader_id=reader_id):
            return replace(state, is_lent_to=reader_id)
        case BookCopyReturnedByReader():
            return replace(state, is_lent_to=None)
        case _:
            assert_never(event)


def decide(state: State, command: RemoveBookCopyFromCirculation) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.was_added:
        return _refuse(command, BookNeverAdded(command.book_id))
    if not state.is_in_circulation:
        return Nothing()
    if state.is_lent_to is not None:
        return _refuse(command, BookCurrentlyLent(command.book_id, state.is_lent_to))
    return Append(BookCopyRemovedFromCirculation(command.book_id, occurred_at=command.occurred_at))


def _refuse(command: RemoveBookCopyFromCirculation, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason, RemovingBookFromCirculationFailed(command.book_id, reason.name, occurred_at=command.occurred_at)
    )
