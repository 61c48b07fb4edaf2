"""From events to the catalogue. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyRemovedFromCirculation,
    BookCopyReturnedByReader,
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
)
from slices.questions import Projection

Relevant: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyRemovedFromCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | BookHeldForReader
    | BookHoldExpired
    | BookReservationCanceled
)


@dataclass(frozen=True, slots=True)
class BookInCirculation:
    """One copy that the library offers: lent, held for a reader who waited for it, or free."""

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int
    added_at: datetime
    is_lent: bool = False
    held_for: str | None = None

    @property
    def is_free(self) -> bool:
        """Any reader may have it."""
        return not self.is_lent and self.held_for is None


@dataclass(slots=True)
class State:
    """The copies in circulation by id, in the order of the log; and for whom copies are held.

    A hold outlives the removal of its copy: if the copy is added again, it is still held.
    """

    books: dict[str, BookInCirculation] = field(default_factory=dict[str, BookInCirculation])
    held_for: dict[str, str] = field(default_factory=dict[str, str])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case BookCopyAddedToCirculation():
            state.books.pop(event.book_id, None)
            state.books[event.book_id] = _new_book(event)
        case BookCopyRemovedFromCirculation():
            state.books.pop(event.book_id, None)
        case BookCopyLentToReader():
            state.held_for.pop(event.book_id, None)
            _mark(state.books, event.book_id, is_lent=True)
        case BookCopyReturnedByReader():
            _mark(state.books, event.book_id, is_lent=False)
        case BookHeldForReader():
            state.held_for[event.book_id] = event.reader_id
        case BookHoldExpired() | BookReservationCanceled() if state.held_for.get(event.book_id) == event.reader_id:
            del state.held_for[event.book_id]
        case BookHoldExpired() | BookReservationCanceled():
            pass
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[BookInCirculation, ...]:
    """The catalogue, by the time a copy was added; ties in the order of the log."""
    books = (replace(book, held_for=state.held_for.get(book.book_id)) for book in state.books.values())
    return tuple(sorted(books, key=lambda book: book.added_at))


project: Final = Projection("books_in_circulation", version=2, start=State, evolve=evolve, view=view)


def _new_book(event: BookCopyAddedToCirculation) -> BookInCirculation:
    return BookInCirculation(
        book_id=event.book_id,
        isbn=event.isbn,
        title=event.title,
        authors=event.authors,
        edition=event.edition,
        publisher=event.publisher,
        publication_year=event.publication_year,
        added_at=event.occurred_at,
    )


def _mark(books: dict[str, BookInCirculation], book_id: str, *, is_lent: bool) -> None:
    if book_id in books:
        books[book_id] = replace(books[book_id], is_lent=is_lent)
