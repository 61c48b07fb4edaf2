"""From events to one reader's loans. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderContractCanceled,
    ReaderRegistered,
)

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
    loans: tuple[Loan, ...]


def project(history: Iterable[Relevant]) -> ReaderWithLoans | None:
    """The reader with loans by the time of lending; ties in the order of the log. None if nobody ever registered."""
    loans: dict[str, Loan] = {}
    reader: ReaderWithLoans | None = None
    for event in history:
        match event:
            case ReaderRegistered(reader_id=reader_id, name=name):
                reader = ReaderWithLoans(reader_id, name, is_registered=True, loans=())
            case ReaderContractCanceled():
                reader = reader and replace(reader, is_registered=False)
            case BookCopyLentToReader(book_id=book_id, occurred_at=since):
                loans[book_id] = Loan(book_id, since)
            case BookCopyReturnedByReader(book_id=book_id):
                loans.pop(book_id, None)
            case _:
                assert_never(event)
    return reader and replace(reader, loans=tuple(sorted(loans.values(), key=lambda loan: loan.since)))


def with_titles(loans: Iterable[Loan], history: Iterable[RelevantToTitles]) -> tuple[Loan, ...]:
    """The loans with what was on record when their copies were added (last)."""
    books = {event.book_id: event for event in history}
    return tuple(
        replace(loan, title=books[loan.book_id].title, authors=books[loan.book_id].authors)
        if loan.book_id in books
        else loan
        for loan in loans
    )
