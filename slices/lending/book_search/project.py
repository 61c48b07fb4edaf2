"""From events to changes of rows, and from what people type to the rows that fit. Pure.

Rows are kept in PostgreSQL, or in the `State` of a replayed answer: the changes, the words and the order are the same.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyRemovedFromCirculation,
    BookCopyReturnedByReader,
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
)
from slices.paging import PageOf, page_of
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
Show: TypeAlias = Literal["all", "free", "lent"]
Place: TypeAlias = Literal["free", "held", "lent", "gone"]

LONGEST_WORD: Final = 100
"""What is longer is cut, in rows and questions alike: PostgreSQL takes no words of more than 2,046 bytes."""
MOST_WORDS: Final = 500
"""Of one copy: PostgreSQL takes no more than a million bytes of them."""
MOST_TERMS: Final = 30
"""Of one question; further ones are not looked at."""

_LONGEST_SORT_KEY: Final = 200
_WORD: Final = re.compile(r"[^\W_]+")
_DASHES: Final = re.compile("[-‐‑‒–]")
_PART_OF_ISBN: Final = re.compile("[0-9]+[0-9Xx]?")


@dataclass(frozen=True, slots=True)
class BookFound:
    """One copy: lent, held for a reader who waited for it, free, or out of circulation.

    The row of a copy that is out of circulation is kept: if it comes back, it is still held for whom it was held.
    """

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int
    is_lent: bool = False
    held_for: str | None = None
    in_circulation: bool = True

    @property
    def place(self) -> Place:
        """Where it is: away, with a reader, on the hold shelf, or there for anybody."""
        if not self.in_circulation:
            return "gone"
        return "lent" if self.is_lent else "held" if self.held_for else "free"

    @property
    def words(self) -> tuple[str, ...]:
        """What it is found by, each word once."""
        isbn = "".join(words_of(self.isbn))[:LONGEST_WORD]
        found = dict.fromkeys((isbn, *words_of(self.title), *words_of(self.authors)))
        return tuple(word for word in found if word)[:MOST_WORDS]

    @property
    def sort_key(self) -> str:
        """Where it stands in the list; ties go by the id."""
        return self.title.casefold()[:_LONGEST_SORT_KEY]


@dataclass(frozen=True, slots=True)
class Put:
    """The copy is in circulation. If there is a row already, it goes on saying where the copy is."""

    book: BookFound

    @property
    def book_id(self) -> str:
        """Of the row."""
        return self.book.book_id


@dataclass(frozen=True, slots=True)
class Mark:
    """The row, if there is one, says where the copy is."""

    book_id: str
    is_lent: bool
    held_for: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """The copy is not held any more, if it was held for this reader."""

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The copy is out of circulation."""

    book_id: str


Change: TypeAlias = Put | Mark | Release | Remove


def change(event: Relevant) -> Change:
    """What an event does to the rows."""
    match event:
        case BookCopyAddedToCirculation():
            return Put(
                BookFound(
                    event.book_id,
                    event.isbn,
                    event.title,
                    event.authors,
                    event.edition,
                    event.publisher,
                    event.publication_year,
                )
            )
        case BookCopyRemovedFromCirculation():
            return Remove(event.book_id)
        case BookCopyLentToReader():
            return Mark(event.book_id, is_lent=True)
        case BookCopyReturnedByReader():
            return Mark(event.book_id, is_lent=False)
        case BookHeldForReader():
            return Mark(event.book_id, is_lent=False, held_for=event.reader_id)
        case BookHoldExpired() | BookReservationCanceled():
            return Release(event.book_id, event.reader_id)
        case _:
            assert_never(event)


def waves(events: Iterable[Relevant]) -> Iterator[tuple[Change, ...]]:
    """What several events do to the rows, in as few steps as possible.

    In each step a row has one change at most, so the order within a step does not matter. Of marks that follow each
    other only the last counts.
    """
    rows: dict[str, list[Change]] = {}
    for event in events:
        later = change(event)
        changes = rows.setdefault(later.book_id, [])
        if isinstance(later, Mark) and changes and isinstance(changes[-1], Mark):
            changes[-1] = later
        else:
            changes.append(later)
    for step in range(max(map(len, rows.values()), default=0)):
        yield tuple(changes[step] for changes in rows.values() if len(changes) > step)


def make(change: Change, rows: MutableMapping[str, BookFound]) -> None:
    """Change rows that are kept by id."""
    row = rows.get(change.book_id)
    match change:
        case Put(book) if row is not None:
            rows[book.book_id] = replace(book, is_lent=row.is_lent, held_for=row.held_for)
        case Put(book):
            rows[book.book_id] = book
        case Mark(book_id, is_lent, held_for) if row is not None:
            rows[book_id] = replace(row, is_lent=is_lent, held_for=held_for)
        case Release(book_id, reader_id) if row is not None and row.held_for == reader_id:
            rows[book_id] = replace(row, held_for=None)
        case Remove(book_id) if row is not None:
            rows[book_id] = replace(row, in_circulation=False)
        case Mark() | Release() | Remove():
            pass
        case _:
            assert_never(change)


@dataclass(slots=True)
class State:
    """The rows by id."""

    books: dict[str, BookFound] = field(default_factory=dict[str, BookFound])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    make(change(event), state.books)
    return state


def view(state: State) -> tuple[BookFound, ...]:
    """All rows, by title and id."""
    return tuple(sorted(state.books.values(), key=lambda book: (book.sort_key, book.book_id)))


project: Final = Projection("book_search", version=1, start=State, evolve=evolve, view=view)


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for.

    Attributes:
        text: as it was typed. Without words it fits every copy.
        show: all copies that fit, or only those that are free, or lent.
        page: the number of a page, as an address says it.
    """

    text: str = ""
    show: Show = "all"
    page: str | None = None

    @property
    def terms(self) -> "tuple[Term, ...]":
        """What has to fit, all of it."""
        return tuple(_terms(self.text))[:MOST_TERMS]

    @property
    def places(self) -> "tuple[Place, ...]":
        """Where the copies may be."""
        return ("free", "held", "lent") if self.show == "all" else (self.show,)


Term: TypeAlias = tuple[tuple[str, ...], ...]
"""Alternatives. One of them fits if each of its words is the beginning of a word of the row."""


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, in the spelling in which they are compared.

    >>> words_of("Émile, oder Über die Erziehung")
    ('emile', 'oder', 'uber', 'die', 'erziehung')
    """
    # Taken apart first: a capital may be hidden in a ligature, or in a letter for mathematics.
    spelled = unicodedata.normalize("NFKD", text).casefold()
    without_accents = "".join(character for character in spelled if unicodedata.category(character)[0] != "M")
    return tuple(word[:LONGEST_WORD] for word in _WORD.findall(without_accents))


def _terms(text: str) -> Iterator[Term]:
    for typed in text.split():
        words = words_of(typed)
        joined = _DASHES.sub("", typed)
        if len(words) > 1 and _PART_OF_ISBN.fullmatch(joined):  # the digits of an ISBN, or "2001-2010"
            yield words, (joined.lower()[:LONGEST_WORD],)
        elif words:
            yield (words,)


def find(books: Sequence[BookFound], question: Question) -> PageOf[BookFound]:
    """The page of rows that fit, in the order in which they are given."""
    terms, places = question.terms, question.places
    return page_of([book for book in books if book.place in places and _fits(book, terms)], question.page)


def _fits(book: BookFound, terms: tuple[Term, ...]) -> bool:
    words = book.words
    return all(
        any(all(any(word.startswith(typed) for word in words) for typed in alternative) for alternative in term)
        for term in terms
    )
