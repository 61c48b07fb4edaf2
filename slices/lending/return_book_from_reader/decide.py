"""The rules of returning: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
    BookReserved,
    ReaderRegistered,
    ReturningBookFromReaderFailed,
)
from slices.lending.rejections import BookNeverAdded, BookNotLentToReader, ReaderNeverRegistered
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from slices.lending.waiting_list import NOBODY_WAITS, WaitingList

RelevantToCopy: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | BookReserved
    | BookReservationCanceled
    | BookHoldExpired
)
RelevantToReader: TypeAlias = ReaderRegistered
Relevant: TypeAlias = RelevantToCopy | RelevantToReader

Happens: TypeAlias = BookCopyReturnedByReader | BookHeldForReader
Refusal: TypeAlias = ReaderNeverRegistered | BookNeverAdded | BookNotLentToReader


def boundary(command: ReturnBookFromReader) -> Filter:
    """What happened to this copy, or whether this reader ever registered, as far as it can change the answer.

    What else the reader borrows cannot, so there are two items, and not one of "this copy or this reader". Nor can the
    end of a contract or of the circulation. Holds are not in it: while a reader has the copy there is none, and an
    event that is here has ended each there was.
    """
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToCopy))
        .and_any_predicate_of(P("BookID", command.book_id))
        .or_matching()
        .any_event_type_of(*stored_types(RelevantToReader))
        .and_any_predicate_of(P("ReaderID", command.reader_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy and this reader."""

    reader_id: str
    reader_was_registered: bool = False
    copy_was_added: bool = False
    reader_had_the_copy: bool = False
    reader_has_the_copy: bool = False
    waiting: WaitingList = NOBODY_WAITS

    @classmethod
    def of(cls, command: ReturnBookFromReader) -> "State":
        """Before anything happened."""
        return cls(command.reader_id)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Loans of the copy to other readers lie in the boundary, too."""
    match event:
        case BookCopyAddedToCirculation():
            return replace(state, copy_was_added=True)
        case ReaderRegistered():
            return replace(state, reader_was_registered=True)
        case BookCopyLentToReader(reader_id=reader_id):
            state = replace(state, waiting=state.waiting.after(event))
            to_this_reader = reader_id == state.reader_id
            return replace(state, reader_had_the_copy=True, reader_has_the_copy=True) if to_this_reader else state
        case BookCopyReturnedByReader(reader_id=reader_id):
            return replace(state, reader_has_the_copy=False) if reader_id == state.reader_id else state
        case BookReserved() | BookReservationCanceled() | BookHoldExpired():
            return replace(state, waiting=state.waiting.after(event))
        case _:
            assert_never(event)


def decide(state: State, command: ReturnBookFromReader) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.reader_was_registered:
        return _refuse(command, ReaderNeverRegistered(command.reader_id))
    if not state.copy_was_added:
        return _refuse(command, BookNeverAdded(command.book_id))
    if not state.reader_had_the_copy:
        return _refuse(command, BookNotLentToReader(command.book_id, command.reader_id))
    if not state.reader_has_the_copy:
        return Nothing()
    return Append(
        BookCopyReturnedByReader(command.book_id, command.reader_id, occurred_at=command.occurred_at),
        *state.waiting.next_hold(command.book_id, command.occurred_at),
    )


def _refuse(command: ReturnBookFromReader, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason,
        ReturningBookFromReaderFailed(command.book_id, command.reader_id, reason.name, occurred_at=command.occurred_at),
    )
