"""Who has what, in one view: what the desk and the home page need at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from eventstore import FilterBuilder
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
)
from slices.lending.waiting_list import NOBODY_WAITS, QueueEvent, WaitingList
from slices.questions import Projection

RelevantEvent: TypeAlias = (
    BookCopyAddedToCirculation
    | BookCopyRemovedFromCirculation
    | BookCopyLentToReader
    | BookCopyReturnedByReader
    | BookReserved
    | BookReservationCanceled
    | BookHeldForReader
    | BookHoldExpired
    | ReaderRegistered
    | ReaderContractCanceled
)

_FIRST_TYPE, *_MORE_TYPES = stored_types(RelevantEvent)

BOUNDARY: Final = FilterBuilder().matching().any_event_type_of(_FIRST_TYPE, *_MORE_TYPES).finalize()
"""All events that say who has what."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy as the catalogue knows it, and who waits for it. `lent_to` and `since` are None if no reader has it."""

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
    waiting: WaitingList = NOBODY_WAITS

    @property
    def is_free(self) -> bool:
        """Whether it can be lent to anybody: nobody has it, and it lies ready for nobody."""
        return self.in_circulation and self.lent_to is None and self.waiting.held_for is None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Every copy that was ever added, and the name of every reader with a contract, by id."""

    copies: Mapping[str, Copy]
    readers: Mapping[str, str]

    @property
    def free(self) -> list[Copy]:
        """Copies that can be lent, by title."""
        found = [copy for copy in self.copies.values() if copy.is_free]
        return sorted(found, key=lambda copy: copy.title.casefold())

    @property
    def lent(self) -> list[Copy]:
        """Copies that readers have, longest away first."""
        return [copy for copy in self.copies.values() if copy.lent_to is not None]

    @property
    def held(self) -> list[Copy]:
        """Copies in circulation that lie ready for readers who waited, by the end of the hold."""
        offered = [copy for copy in self.copies.values() if copy.in_circulation]
        held = [(copy.waiting.held_until, copy) for copy in offered if copy.waiting.held_until]
        return [copy for _, copy in sorted(held, key=lambda entry: entry[0])]

    def held_for(self, reader_id: str) -> list[Copy]:
        """What lies ready for one reader, by the end of the hold."""
        return [copy for copy in self.held if copy.waiting.held_for == reader_id]

    def lent_to(self, reader_id: str) -> list[Copy]:
        """What one reader has, in the order of lending."""
        found = [copy for copy in self.copies.values() if copy.lent_to == reader_id]
        return sorted(found, key=lambda copy: (copy.since or copy.added_at, copy.book_id))


@dataclass(slots=True)
class State:
    """Every copy and every reader with a contract, by id, in the order of the log."""

    copies: dict[str, Copy] = field(default_factory=dict[str, Copy])
    readers: dict[str, str] = field(default_factory=dict[str, str])


def evolve(state: State, event: RelevantEvent) -> State:
    """What is known after one more event."""
    copies, readers = state.copies, state.readers
    match event:
        case BookCopyAddedToCirculation():
            copies[event.book_id] = _new_copy(event, copies.get(event.book_id))
        case ReaderRegistered():
            readers[event.reader_id] = event.name
        case ReaderContractCanceled():
            readers.pop(event.reader_id, None)
        case BookCopyRemovedFromCirculation():
            _change(copies, event.book_id, in_circulation=False)
        case BookCopyLentToReader():
            _wait(copies, event)
            _change(copies, event.book_id, lent_to=event.reader_id, since=event.occurred_at)
        case BookCopyReturnedByReader():
            _change(copies, event.book_id, lent_to=None, since=None)
        case BookReserved() | BookReservationCanceled() | BookHeldForReader() | BookHoldExpired():
            _wait(copies, event)
        case _:
            assert_never(event)
    return state


def view(state: State) -> Shelf:
    """The shelf as it is."""
    return Shelf(state.copies, state.readers)


project: Final = Projection("shelf", version=1, start=State, evolve=evolve, view=view)
"""With snapshots the desk and the home page read only what is new."""


def _new_copy(event: BookCopyAddedToCirculation, before: Copy | None) -> Copy:
    """A copy that was there before comes back with its waiting list: adding it cancels no reservation."""
    return Copy(
        event.book_id,
        event.isbn,
        event.title,
        event.authors,
        event.edition,
        event.publisher,
        event.publication_year,
        event.occurred_at,
        waiting=before.waiting if before else NOBODY_WAITS,
    )


def _wait(copies: dict[str, Copy], event: QueueEvent) -> None:
    if event.book_id in copies:
        _change(copies, event.book_id, waiting=copies[event.book_id].waiting.after(event))


def _change(copies: dict[str, Copy], book_id: str, **changes: object) -> None:
    if book_id in copies:
        copies[book_id] = replace(copies[book_id], **changes)  # type: ignore[arg-type]  # names and types: see above
