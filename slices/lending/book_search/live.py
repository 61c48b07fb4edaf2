"""The rows of the search in PostgreSQL: how they are kept, and how they are searched."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from slices.lending.book_search.project import (
    BookFound,
    Change,
    Mark,
    Put,
    Question,
    Release,
    Relevant,
    Remove,
    Term,
    project,
    waves,
)
from slices.lending.book_search.query import boundary
from slices.live.answer import LiveAnswer
from slices.live.answering import LiveAnswers
from slices.live.model import LiveModel, Rows
from slices.paging import ROWS, PageOf, page_of

# Collation "C" orders as Python does. Room in the pages, so that to lend a copy touches no index.
_TABLE: LiteralString = """
CREATE TABLE {rows} (
    book_id          text COLLATE "C" PRIMARY KEY,
    isbn             text     NOT NULL,
    title            text     NOT NULL,
    authors          text     NOT NULL,
    edition          text     NOT NULL,
    publisher        text     NOT NULL,
    publication_year bigint   NOT NULL,
    is_lent          boolean  NOT NULL,
    held_for         text COLLATE "C",
    in_circulation   boolean  NOT NULL,
    place            text     NOT NULL GENERATED ALWAYS AS (
        CASE WHEN NOT in_circulation THEN 'gone'
             WHEN is_lent THEN 'lent'
             WHEN held_for IS NULL THEN 'free'
             ELSE 'held'
        END
    ) STORED,
    sort_key         text COLLATE "C" NOT NULL,
    words            tsvector NOT NULL
) WITH (fillfactor = 90)
"""

_INDEXES: LiteralString = """
CREATE INDEX ON {rows} USING gin (words) WITH (fastupdate = off);
CREATE INDEX ON {rows} (sort_key, book_id)
"""

_REMOVE: LiteralString = "UPDATE {rows} SET in_circulation = false WHERE book_id = ANY(%(book_ids)s)"

_MARK: LiteralString = """
UPDATE {rows} book
SET is_lent = given.is_lent, held_for = given.held_for
FROM unnest(%(book_ids)s::text[], %(are_lent)s::boolean[], %(held_for)s::text[]) given (book_id, is_lent, held_for)
WHERE book.book_id = given.book_id
"""

_RELEASE: LiteralString = """
UPDATE {rows} book
SET held_for = NULL
FROM unnest(%(book_ids)s::text[], %(reader_ids)s::text[]) given (book_id, reader_id)
WHERE book.book_id = given.book_id AND book.held_for = given.reader_id
"""

_PUT: LiteralString = """
INSERT INTO {rows} (book_id, isbn, title, authors, edition, publisher, publication_year, is_lent, held_for,
                    in_circulation, sort_key, words)
SELECT given.book_id, given.isbn, given.title, given.authors, given.edition, given.publisher, given.publication_year,
       given.is_lent, given.held_for, true, given.sort_key, array_to_tsvector(string_to_array(given.words, ' '))
FROM unnest(%(book_id)s::text[], %(isbn)s::text[], %(title)s::text[], %(authors)s::text[], %(edition)s::text[],
            %(publisher)s::text[], %(publication_year)s::bigint[], %(is_lent)s::boolean[], %(held_for)s::text[],
            %(sort_key)s::text[], %(words)s::text[])
     given (book_id, isbn, title, authors, edition, publisher, publication_year, is_lent, held_for, sort_key, words)
ON CONFLICT (book_id) DO UPDATE
SET isbn = EXCLUDED.isbn, title = EXCLUDED.title, authors = EXCLUDED.authors, edition = EXCLUDED.edition,
    publisher = EXCLUDED.publisher, publication_year = EXCLUDED.publication_year, in_circulation = true,
    sort_key = EXCLUDED.sort_key, words = EXCLUDED.words
"""

_COUNT_ALL: LiteralString = "SELECT count(*) FROM {rows} WHERE place = ANY(%(places)s)"
_COUNT: LiteralString = """
SELECT count(*) FROM {rows} WHERE words @@ %(words)s::tsquery AND place = ANY(%(places)s)
"""

_PAGE_OF_ALL: LiteralString = """
SELECT book_id, isbn, title, authors, edition, publisher, publication_year, is_lent, held_for
FROM {rows}
WHERE place = ANY(%(places)s)
ORDER BY sort_key, book_id
LIMIT %(limit)s OFFSET %(offset)s
"""

# Ordered above a fence, or the planner walks all titles in their order in the hope of meeting enough that fit.
_PAGE: LiteralString = """
WITH found AS MATERIALIZED (
    SELECT * FROM {rows} WHERE words @@ %(words)s::tsquery AND place = ANY(%(places)s)
)
SELECT book_id, isbn, title, authors, edition, publisher, publication_year, is_lent, held_for
FROM found
ORDER BY sort_key, book_id
LIMIT %(limit)s OFFSET %(offset)s
"""


def apply(rows: Rows, events: Sequence[Relevant]) -> None:
    """Take events into the rows."""
    for step in waves(events):
        _take(rows, step)


def _take(rows: Rows, changes: Sequence[Change]) -> None:
    """Make changes, each of another row."""
    removed = [change.book_id for change in changes if isinstance(change, Remove)]
    marked = [change for change in changes if isinstance(change, Mark)]
    released = [change for change in changes if isinstance(change, Release)]
    put = [change.book for change in changes if isinstance(change, Put)]
    if removed:
        rows.run(_REMOVE, {"book_ids": removed})
    if marked:
        columns = {
            "book_ids": [mark.book_id for mark in marked],
            "are_lent": [mark.is_lent for mark in marked],
            "held_for": [mark.held_for for mark in marked],
        }
        rows.run(_MARK, columns)
    if released:
        ended = {"book_ids": [end.book_id for end in released], "reader_ids": [end.reader_id for end in released]}
        rows.run(_RELEASE, ended)
    if put:
        rows.run(_PUT, _columns(put))


model: Final = LiveModel(project.name, project.version, boundary(), _TABLE, _INDEXES, apply)


@dataclass(frozen=True, slots=True)
class LiveBookSearchHandler:
    """Answers from the rows."""

    live: LiveAnswers

    def handle(self, question: Question, at_least: int | None = None) -> LiveAnswer[PageOf[BookFound]]:
        """See `LiveAnswers.ask`."""
        return self.live.ask(model, lambda rows: search(rows, question), at_least)


def search(rows: Rows, question: Question) -> PageOf[BookFound]:
    """The page of rows that fit, by title and id."""
    terms = question.terms
    asked: dict[str, object] = {"words": tsquery(terms), "places": list(question.places)}
    ((total,),) = rows.run(_COUNT if terms else _COUNT_ALL, asked)
    page = page_of(range(total), question.page)
    place: dict[str, object] = {"limit": ROWS, "offset": (page.number - 1) * ROWS}
    found = rows.run(_PAGE if terms else _PAGE_OF_ALL, asked | place)
    return PageOf([BookFound(*row) for row in found], page.total, page.number, page.pages)


def tsquery(terms: Iterable[Term]) -> str:
    """The same as a text search of PostgreSQL. Words are letters and digits: nothing in them needs an escape.

    >>> tsquery(Question("vlad 978-1").terms)
    "(('vlad':*)) & (('978':* & '1':*) | ('9781':*))"
    """
    return " & ".join(
        "(" + " | ".join("(" + " & ".join(f"'{word}':*" for word in words) + ")" for words in term) + ")"
        for term in terms
    )


def _columns(books: Sequence[BookFound]) -> dict[str, object]:
    shown = ("book_id", "isbn", "title", "authors", "edition", "publisher", "publication_year", "is_lent", "held_for")
    columns: dict[str, object] = {name: [getattr(book, name) for book in books] for name in (*shown, "sort_key")}
    return {**columns, "words": [" ".join(book.words) for book in books]}
