"""From events to the list of what is lent. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
)
from slices.questions import Projection

Relevant: TypeAlias = BookCopyAddedToCirculation | BookCopyLentToReader | BookCopyReturnedByReader | ReaderRegistered


@dataclass(frozen=True, slots=True)
class BookLentOut:
    """A copy that a reader has."""

    book_id: str
    reader_id: str
    since: datetime
    title: str = ""
    authors: str = ""
    reader_name: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """What a copy is called."""

    title: str
    authors: str


@dataclass(slots=True)
class State:
    """The loans by copy, in the order of the log, and what every copy and every reader is called."""

    loans: dict[str, BookLentOut] = field(default_factory=dict[str, BookLentOut])
    books: dict[str, Book] = field(default_factory=dict[str, Book])
    names: dict[str, str] = field(default_factory=dict[str, str])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case BookCopyAddedToCirculation(book_id=book_id, title=title, authors=authors):
            state.books[book_id] = Book(title, authors)
        case BookCopyLentToReader(book_id=book_id, reader_id=reader_id, occurred_at=since):
            state.loans[book_id] = BookLentOut(book_id, reader_id, since)
        case BookCopyReturnedByReader(book_id=book_id):
            state.loans.pop(book_id, None)
        case ReaderRegistered(reader_id=reader_id, name=name):
            state.names[reader_id] = name
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[BookLentOut, ...]:
    """What is lent, longest away first; ties in the order of the log."""
    loans = sorted(state.loans.values(), key=lambda loan: loan.since)
    return tuple(_named(loan, state) for loan in loans)


project: Final = Projection("books_lent_out", version=1, start=State, evolve=evolve, view=view)

_UNTITLED: Final = Book("", "")


def _named(loan: BookLentOut, state: State) -> BookLentOut:
    book = state.books.get(loan.book_id, _UNTITLED)
    reader_name = state.names.get(loan.reader_id, "")
    return replace(loan, title=book.title, authors=book.authors, reader_name=reader_name)
