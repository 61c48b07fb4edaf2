"""The rules of reserving: which events matter, what they tell, and what follows. No clock, no store, no web."""

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
    BookReserved,
    ReaderContractCanceled,
    ReaderRegistered,
    ReservingBookFailed,
)
from slices.lending.limits import MOST_RESERVATIONS_PER_READER
from slices.lending.rejections import (
    BookIsAvailable,
    BookLentToThisReader,
    BookNotInCirculation,
    ReaderNotRegistered,
    TooManyReservations,
)
from slices.lending.reserve_book.command import ReserveBook

RelevantToCopy: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyRemovedFromCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | BookReservationCanceled
    | BookHeldForReader
    | BookHoldExpired
)
RelevantToReader: TypeAlias = (
    ReaderRegistered
    | ReaderContractCanceled
    | BookReserved
    | BookReservationCanceled
    | BookHoldExpired
    | BookCopyLentToReader
)
Relevant: TypeAlias = RelevantToCopy | RelevantToReader
Happens: TypeAlias = BookReserved
Refusal: TypeAlias = (
    ReaderNotRegistered | BookNotInCirculation | BookIsAvailable | BookLentToThisReader | TooManyReservations
)


def boundary(command: ReserveBook) -> Filter:
    """Where this copy is and for whom it is held, or what this reader waits for.

    Who else waits for the copy is not in it: the queue may grow by two at once, and the log says who was first.
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

    book_id: str
    reader_id: str
    reader_is_registered: bool = False
    copy_is_in_circulation: bool = False
    copy_is_lent_to: str | None = None
    copy_is_held_for: str | None = None
    copies_waited_for: frozenset[str] = frozenset()

    @classmethod
    def of(cls, command: ReserveBook) -> "State":
        """Before anything happened."""
        return cls(command.book_id, command.reader_id)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Reservations of other copies lie in the boundary, too."""
    match event:
        case BookCopyAddedToCirculation():
            return replace(state, copy_is_in_circulation=True)
        case BookCopyRemovedFromCirculation():
            return replace(state, copy_is_in_circulation=False)
        case BookCopyLentToReader(book_id=state.book_id, reader_id=reader_id):
            return _no_longer_waits(replace(state, copy_is_lent_to=reader_id), event)
        case BookCopyReturnedByReader():
            return replace(state, copy_is_lent_to=None)
        case BookReserved(book_id=book_id):
            return replace(state, copies_waited_for=state.copies_waited_for | {book_id})
        case BookHeldForReader(reader_id=reader_id):
            return replace(state, copy_is_held_for=reader_id)
        case BookReservationCanceled() | BookHoldExpired() | BookCopyLentToReader():
            return _no_longer_waits(state, event)
        case ReaderRegistered():
            return replace(state, reader_is_registered=True)
        case ReaderContractCanceled():
            return replace(state, reader_is_registered=False)
        case _:
            assert_never(event)


def _no_longer_waits(state: State, event: BookReservationCanceled | BookHoldExpired | BookCopyLentToReader) -> State:
    if event.reader_id == state.reader_id:
        state = replace(state, copies_waited_for=state.copies_waited_for - {event.book_id})
    if (event.book_id, event.reader_id) == (state.book_id, state.copy_is_held_for):
        state = replace(state, copy_is_held_for=None)
    return state


def decide(state: State, command: ReserveBook) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.reader_is_registered:
        return _refuse(command, ReaderNotRegistered(command.reader_id))
    if not state.copy_is_in_circulation:
        return _refuse(command, BookNotInCirculation(command.book_id))
    if command.book_id in state.copies_waited_for:
        return Nothing()
    if state.copy_is_lent_to is None and state.copy_is_held_for is None:
        return _refuse(command, BookIsAvailable(command.book_id))
    if state.copy_is_lent_to == command.reader_id:
        return _refuse(command, BookLentToThisReader(command.book_id, command.reader_id))
    if len(state.copies_waited_for) >= MOST_RESERVATIONS_PER_READER:
        return _refuse(command, TooManyReservations(command.reader_id))
    return Append(BookReserved(command.book_id, command.reader_id, occurred_at=command.occurred_at))


def _refuse(command: ReserveBook, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason, ReservingBookFailed(command.book_id, command.reader_id, reason.name, occurred_at=command.occurred_at)
    )
