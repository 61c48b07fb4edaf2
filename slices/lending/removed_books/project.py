"""From events to the list of removed copies. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import BookCopyAddedToCirculation, BookCopyRemovedFromCirculation
from slices.questions import Projection

Relevant: TypeAlias = BookCopyAddedToCirculation | BookCopyRemovedFromCirculation


@dataclass(frozen=True, slots=True)
class Book:
    """A copy as it was described when it was added (last)."""

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int


@dataclass(frozen=True, slots=True)
class RemovedBook:
    """A copy that the library no longer offers."""

    book: Book
    removed_at: datetime


@dataclass(slots=True)
class State:
    """The copies in circulation by id, and the removed ones by id, in the order of the log."""

    in_circulation: dict[str, Book] = field(default_factory=dict[str, Book])
    removed: dict[str, RemovedBook] = field(default_factory=dict[str, RemovedBook])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. A copy is removed once: the first time counts."""
    match event:
        case BookCopyAddedToCirculation(book_id=book_id):
            state.in_circulation[book_id] = _book(event)
            state.removed.pop(book_id, None)
        case BookCopyRemovedFromCirculation(book_id=book_id, occurred_at=removed_at) if book_id in state.in_circulation:
            state.removed[book_id] = RemovedBook(state.in_circulation.pop(book_id), removed_at)
        case BookCopyRemovedFromCirculation():
            pass
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[RemovedBook, ...]:
    """Removed copies by the time of their removal; ties in the order of the log."""
    return tuple(sorted(state.removed.values(), key=lambda removed: removed.removed_at))


project: Final = Projection("removed_books", version=1, start=State, evolve=evolve, view=view)


def _book(event: BookCopyAddedToCirculation) -> Book:
    return Book(
        book_id=event.book_id,
        isbn=event.isbn,
        title=event.title,
        authors=event.authors,
        edition=event.edition,
        publisher=event.publisher,
        publication_year=event.publication_year,
    )
