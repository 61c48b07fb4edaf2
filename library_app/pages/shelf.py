"""Who has what, in one view: what the desk and the home page need at a glance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from eventstore import FilterBuilder
from slices.domain_event import stored_types
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyRemovedFromCirculation,
    BookCopyReturnedByReader,
    ReaderContractCanceled,
    ReaderRegistered,
)

RelevantEvent: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyRemovedFromCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | ReaderRegistered
    | ReaderContractCanceled
)

_FIRST_TYPE, *_MORE_TYPES = stored_types(RelevantEvent)

BOUNDARY: Final = FilterBuilder().matching().any_event_type_of(_FIRST_TYPE, *_MORE_TYPES).finalize()
"""All events that say who has what."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as the catalogue knows it. `lent_to` and `since` are None if it is free."""

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int
    added_at: datetime
    in_circulation: bool = True
    lent_to: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every copy that was ever added, and the name of every reader with a contract, by id."""

    copies: Mapping[str, Copy]
    readers: Mapping[str, str]

    @property
    def free(self) -> list[Copy]:
        """Copies that can be lent, by title."""
        found = [copy for copy in self.copies.values() if copy.in_circulation and copy.lent_to is None]
        return sorted(found, key=lambda copy: copy.title.casefold())

    @property
    def lent(self) -> list[Copy]:
        """Copies that readers have, longest away first."""
        return [copy for copy in self.copies.values() if copy.lent_to is not None]

    def lent_to(self, reader_id: str) -> list[Copy]:
        """What one reader has, in the order of lending."""
        found = [copy for copy in self.copies.values() if copy.lent_to == reader_id]
        return sorted(found, key=lambda copy: (copy.since or copy.added_at, copy.book_id))


def project(events: Iterable[RelevantEvent]) -> Shelf:
    """Fold the events."""
    copies: dict[str, Copy] = {}
    readers: dict[str, str] = {}
    for event in events:
        match event:
            case BookCopyAddedToCirculation():
                copies[event.book_id] = Copy(
                    event.book_id,
                    event.isbn,
                    event.title,
                    event.authors,
                    event.edition,
                    event.publisher,
                    event.publication_year,
                    event.occurred_at,
                )
            case ReaderRegistered():
                readers[event.reader_id] = event.name
            case ReaderContractCanceled():
                readers.pop(event.reader_id, None)
            case BookCopyRemovedFromCirculation():
                _change(copies, event.book_id, in_circulation=False)
            case BookCopyLentToReader():
                _change(copies, event.book_id, lent_to=event.reader_id, since=event.occurred_at)
            case BookCopyReturnedByReader():
                _change(copies, event.book_id, lent_to=None, since=None)
    return Shelf(copies, readers)


def _change(copies: dict[str, Copy], book_id: str, **changes: object) -> None:
    if book_id in copies:
        copies[book_id] = replace(copies[book_id], **changes)  # type: ignore[arg-type]  # names and types: see above
