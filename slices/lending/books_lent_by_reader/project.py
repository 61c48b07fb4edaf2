"""From events to one reader's loans. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderContractCanceled,
    ReaderRegistered,
)
from slices.questions import Projection

Relevant: TypeAlias = ReaderRegistered | ReaderContractCanceled | BookCopyLentToReader | BookCopyReturnedByReader
RelevantToTitles: TypeAlias = BookCopyAddedToCirculation


@dataclass(frozen=True, slots=True)
class Loan:
    """A copy that the reader has."""

    book_id: str
    since: datetime
    title: str = ""
    authors: str = ""


@dataclass(frozen=True, slots=True)
class ReaderWithLoans:
    """A reader, and what the reader has."""

    reader_id: str
    name: str
    is_registered: bool
    loans: tuple[Loan, ...] = ()


@dataclass(slots=True)
class State:
    """The reader, if anybody ever registered, and the loans by copy, in the order of the log."""

    reader: ReaderWithLoans | None = None
    loans: dict[str, Loan] = field(default_factory=dict[str, Loan])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered(reader_id=reader_id, name=name):
            state.reader = ReaderWithLoans(reader_id, name, is_registered=True)
        case ReaderContractCanceled():
            state.reader = state.reader and replace(state.reader, is_registered=False)
        case BookCopyLentToReader(book_id=book_id, occurred_at=since):
            state.loans[book_id] = Loan(book_id, since)
        case BookCopyReturnedByReader(book_id=book_id):
            state.loans.pop(book_id, None)
        case _:
            assert_never(event)
    return state


def view(state: State) -> ReaderWithLoans | None:
    """The reader with loans by the time of lending; ties in the order of the log. None if nobody ever registered."""
    loans = sorted(state.loans.values(), key=lambda loan: loan.since)
    return state.reader and replace(state.reader, loans=tuple(loans))


project: Final = Projection("books_lent_by_reader", version=1, start=State, evolve=evolve, view=view)


def with_titles(loans: Iterable[Loan], history: Iterable[RelevantToTitles]) -> tuple[Loan, ...]:
    """The loans with what was on record when their copies were added (last)."""
    books = {event.book_id: event for event in history}
    return tuple(
        replace(loan, title=books[loan.book_id].title, authors=books[loan.book_id].authors)
        if loan.book_id in books
        else loan
        for loan in loans
    )
