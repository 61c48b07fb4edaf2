"""The rules of lending: which events matter, what they tell, and what follows. No clock, no store, no web."""

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
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
    LendingBookToReaderFailed,
    ReaderContractCanceled,
    ReaderRegistered,
)
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.limits import MOST_COPIES_PER_READER
from slices.lending.rejections import (
    BookAlreadyLent,
    BookHeldForAnother,
    BookNotInCirculation,
    ReaderAtQuota,
    ReaderNotRegistered,
)

RelevantToBoth: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyRemovedFromCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | ReaderRegistered
    | ReaderContractCanceled
)
RelevantToHold: TypeAlias = BookHeldForReader | BookHoldExpired | BookReservationCanceled
Relevant: TypeAlias = RelevantToBoth | RelevantToHold
Happens: TypeAlias = BookCopyLentToReader
Refusal: TypeAlias = ReaderNotRegistered | BookNotInCirculation | BookAlreadyLent | BookHeldForAnother | ReaderAtQuota


def boundary(command: LendBookToReader) -> Filter:
    """All that happened to this copy or to this reader: one dynamic stream, whatever it would be cut into elsewhere.

    Of holds only those of this copy: which other copies lie ready for this reader does not matter.
    """
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToBoth))
        .and_any_predicate_of(P("BookID", command.book_id), P("ReaderID", command.reader_id))
        .or_matching()
        .any_event_type_of(*stored_types(RelevantToHold))
        .and_any_predicate_of(P("BookID", command.book_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy and this reader."""

    book_id: str
    reader_id: str
    reader_is_registered: bool = False
    copy_is_in_circulation: bool = False
    copy_is_lent_to: str | None = None
    copy_is_held_for: str | None = None
    copies_with_reader: int = 0

    @classmethod
    def of(cls, command: LendBookToReader) -> "State":
        """Before anything happened."""
        return cls(command.book_id, command.reader_id)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Loans of other copies and to other readers lie in the boundary, too."""
    match event:
        case BookCopyAddedToCirculation():
            return replace(state, copy_is_in_circulation=True)
        case BookCopyRemovedFromCirculation():
            return replace(state, copy_is_in_circulation=False)
        case BookCopyLentToReader(book_id=book_id, reader_id=reader_id):
            return replace(
                state,
                copy_is_lent_to=reader_id if book_id == state.book_id else state.copy_is_lent_to,
                copy_is_held_for=None if book_id == state.book_id else state.copy_is_held_for,
                copies_with_reader=state.copies_with_reader + (reader_id == state.reader_id),
            )
        case BookCopyReturnedByReader(book_id=book_id, reader_id=reader_id):
            return replace(
                state,
                copy_is_lent_to=None if book_id == state.book_id else state.copy_is_lent_to,
                copies_with_reader=state.copies_with_reader - (reader_id == state.reader_id),
            )
        case BookHeldForReader(reader_id=reader_id):
            return replace(state, copy_is_held_for=reader_id)
        case BookHoldExpired(reader_id=reader_id) | BookReservationCanceled(reader_id=reader_id):
            return replace(state, copy_is_held_for=None) if reader_id == state.copy_is_held_for else state
        case ReaderRegistered():
            return replace(state, reader_is_registered=True)
        case ReaderContractCanceled():
            return replace(state, reader_is_registered=False)
        case _:
            assert_never(event)


def decide(state: State, command: LendBookToReader) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.reader_is_registered:
        return _refuse(command, ReaderNotRegistered(command.reader_id))
    if not state.copy_is_in_circulation:
        return _refuse(command, BookNotInCirculation(command.book_id))
    if state.copy_is_lent_to == command.reader_id:
        return Nothing()
    if state.copy_is_lent_to is not None:
        return _refuse(command, BookAlreadyLent(command.book_id, state.copy_is_lent_to))
    if state.copy_is_held_for is not None and state.copy_is_held_for != command.reader_id:
        return _refuse(command, BookHeldForAnother(command.book_id, state.copy_is_held_for))
    if state.copies_with_reader >= MOST_COPIES_PER_READER:
        return _refuse(command, ReaderAtQuota(command.reader_id))
    return Append(BookCopyLentToReader(command.book_id, command.reader_id, occurred_at=command.occurred_at))


def _refuse(command: LendBookToReader, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason,
        LendingBookToReaderFailed(command.book_id, command.reader_id, reason.name, occurred_at=command.occurred_at),
    )
