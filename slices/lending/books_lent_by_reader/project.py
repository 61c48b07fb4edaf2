"""From events to one reader's loans. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, TypeVar, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
    BookReserved,
    ReaderContractCanceled,
    ReaderRegistered,
)
from slices.questions import Projection

Relevant: TypeAlias = (
    ReaderRegistered
    | ReaderContractCanceled
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | BookReserved
    | BookReservationCanceled
    | BookHeldForReader
    | BookHoldExpired
)
RelevantToTitles: TypeAlias = BookCopyAddedToCirculation


@dataclass(frozen=True, slots=True)
class Loan:
    """A copy that the reader has."""

    book_id: str
    since: datetime
    title: str = ""
    authors: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A copy that the reader waits for. `held_until` is None while it is not the reader's turn."""

    book_id: str
    since: datetime
    held_until: datetime | None = None
    title: str = ""
    authors: str = ""


Wanted = TypeVar("Wanted", Loan, Reservation)


@dataclass(frozen=True, slots=True)
class ReaderWithLoans:
    """A reader, what the reader has, and what the reader waits for."""

    reader_id: str
    name: str
    is_registered: bool
    loans: tuple[Loan, ...] = ()
    reservations: tuple[Reservation, ...] = ()

    @property
    def copies(self) -> tuple[Loan | Reservation, ...]:
        """All of them."""
        return (*self.loans, *self.reservations)


@dataclass(slots=True)
class State:
    """The reader, if anybody ever registered, and the loans and reservations by copy, in the order of the log."""

    reader: ReaderWithLoans | None = None
    loans: dict[str, Loan] = field(default_factory=dict[str, Loan])
    reservations: dict[str, Reservation] = field(default_factory=dict[str, Reservation])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered(reader_id=reader_id, name=name):
            state.reader = ReaderWithLoans(reader_id, name, is_registered=True)
        case ReaderContractCanceled():
            state.reader = state.reader and replace(state.reader, is_registered=False)
        case BookCopyLentToReader(book_id=book_id, occurred_at=since):
            state.loans[book_id] = Loan(book_id, since)
            state.reservations.pop(book_id, None)
        case BookCopyReturnedByReader(book_id=book_id):
            state.loans.pop(book_id, None)
        case BookReserved(book_id=book_id, occurred_at=since):
            state.reservations[book_id] = Reservation(book_id, since)
        case BookHeldForReader(book_id=book_id, held_until=held_until, occurred_at=since):
            waiting = state.reservations.get(book_id, Reservation(book_id, since))
            state.reservations[book_id] = replace(waiting, held_until=held_until)
        case BookReservationCanceled(book_id=book_id) | BookHoldExpired(book_id=book_id):
            state.reservations.pop(book_id, None)
        case _:
            assert_never(event)
    return state


def view(state: State) -> ReaderWithLoans | None:
    """The reader, with loans and reservations by their time; ties in the order of the log. None if never registered."""
    loans = sorted(state.loans.values(), key=lambda loan: loan.since)
    reservations = sorted(state.reservations.values(), key=lambda reservation: reservation.since)
    return state.reader and replace(state.reader, loans=tuple(loans), reservations=tuple(reservations))


project: Final = Projection("books_lent_by_reader", version=2, start=State, evolve=evolve, view=view)


def with_titles(reader: ReaderWithLoans, history: Iterable[RelevantToTitles]) -> ReaderWithLoans:
    """Loans and reservations with what was on record when their copies were added (last)."""
    books = {event.book_id: event for event in history}
    return replace(reader, loans=_titled(reader.loans, books), reservations=_titled(reader.reservations, books))


def _titled(copies: Iterable[Wanted], books: dict[str, BookCopyAddedToCirculation]) -> tuple[Wanted, ...]:
    return tuple(
        replace(copy, title=books[copy.book_id].title, authors=books[copy.book_id].authors)
        if copy.book_id in books
        else copy
        for copy in copies
    )
