"""The rules of returning: which events matter, what they tell, and what follows. No clock, no store, no web."""

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject, Rejection
from slices.domain_event import stored_types
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
    ReturningBookFromReaderFailed,
)
from slices.lending.rejections import BookNeverAdded, BookNotLentToReader, ReaderNeverRegistered
from slices.lending.return_book_from_reader.command import ReturnBookFromReader

Relevant: TypeAlias = BookCopyAddedToCirculation | BookCopyLentToReader | BookCopyReturnedByReader | ReaderRegistered


def boundary(command: ReturnBookFromReader) -> Filter:
    """All that happened to this copy or to this reader and can change the answer."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("BookID", command.book_id), P("ReaderID", command.reader_id))
        .finalize()
    )


@dataclass(frozen=True, slots=True)
class State:
    """What one has to know about this copy and this reader."""

    book_id: str
    reader_id: str
    reader_was_registered: bool = False
    copy_was_added: bool = False
    reader_had_the_copy: bool = False
    reader_has_the_copy: bool = False

    @classmethod
    def of(cls, command: ReturnBookFromReader) -> "State":
        """Before anything happened."""
        return cls(command.book_id, command.reader_id)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Loans of other copies and to other readers lie in the boundary, too."""
    match event:
        case BookCopyAddedToCirculation():
            return replace(state, copy_was_added=True)
        case ReaderRegistered():
            return replace(state, reader_was_registered=True)
        case BookCopyLentToReader(book_id=state.book_id, reader_id=state.reader_id):
            return replace(state, reader_had_the_copy=True, reader_has_the_copy=True)
        case BookCopyReturnedByReader(book_id=state.book_id, reader_id=state.reader_id):
            return replace(state, reader_has_the_copy=False)
        case BookCopyLentToReader() | BookCopyReturnedByReader():
            return state
        case _:
            assert_never(event)


def decide(state: State, command: ReturnBookFromReader) -> Decision:
    """The first rule that applies decides."""
    if not state.reader_was_registered:
        return _refuse(command, ReaderNeverRegistered(command.reader_id))
    if not state.copy_was_added:
        return _refuse(command, BookNeverAdded(command.book_id))
    if not state.reader_had_the_copy:
        return _refuse(command, BookNotLentToReader(command.book_id, command.reader_id))
    if not state.reader_has_the_copy:
        return Nothing()
    return Append(BookCopyReturnedByReader(command.book_id, command.reader_id, occurred_at=command.occurred_at))


def _refuse(command: ReturnBookFromReader, reason: Rejection) -> Reject:
    return Reject(
        reason,
        ReturningBookFromReaderFailed(command.book_id, command.reader_id, reason.name, occurred_at=command.occurred_at),
    )
