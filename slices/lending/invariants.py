"""What is true of every log of a library, whatever the slices do: an auditor who believes nothing.

Written from the rules and not from the slices. A slice decides on its own boundary; this folds everything, so it sees
what a boundary that is too small, or an append without its guard, lets through. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, assert_never

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
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER

AboutReader: TypeAlias = ReaderRegistered | ReaderContractCanceled | ReaderEmailClaimed | ReaderEmailReleased
AboutShelf: TypeAlias = (
    BookCopyAddedToCirculation | BookCopyRemovedFromCirculation | BookCopyLentToReader | BookCopyReturnedByReader
)
AboutQueue: TypeAlias = BookReserved | BookReservationCanceled | BookHeldForReader | BookHoldExpired
Audited: TypeAlias = AboutReader | AboutShelf | AboutQueue


@dataclass(slots=True)
class Copy:
    """What is on record about one copy. `waiting` are readers, first come, first served."""

    in_circulation: bool = False
    lent_to: str | None = None
    waiting: list[str] = field(default_factory=list[str])
    held_for: str | None = None
    held_until: datetime | None = None


@dataclass(slots=True)
class Reader:
    """What is on record about one reader. `address` is the hash of it."""

    registered: bool = False
    copies: int = 0
    reservations: int = 0
    address: str | None = None


@dataclass(slots=True)
class LibraryAuditor:
    """Reads the events of a library in the order of the log.

    >>> [*LibraryAuditor().objections(BookCopyLentToReader(book_id, reader_id, occurred_at=now))]
    ['the reader is not registered', 'the copy is not in circulation']

    An event to which there are objections counts all the same: it did happen.
    """

    copies: defaultdict[str, Copy] = field(default_factory=lambda: defaultdict(Copy))
    readers: defaultdict[str, Reader] = field(default_factory=lambda: defaultdict(Reader))
    owners: dict[str, str] = field(default_factory=dict[str, str])
    """Who has which address."""

    def objections(self, event: Audited) -> Iterator[str]:
        """What speaks against this event as the next one. Read it to its end: that is what records the event."""
        match event:
            case ReaderRegistered() | ReaderContractCanceled() | ReaderEmailClaimed() | ReaderEmailReleased():
                yield from self._reader(event, self.readers[event.reader_id])
            case BookCopyAddedToCirculation() | BookCopyRemovedFromCirculation():
                yield from self._circulation(event, self.copies[event.book_id])
            case BookCopyLentToReader() | BookCopyReturnedByReader():
                yield from self._loan(event, self.copies[event.book_id], self.readers[event.reader_id])
            case BookReserved() | BookReservationCanceled() | BookHeldForReader() | BookHoldExpired():
                yield from self._queue(event, self.copies[event.book_id], self.readers[event.reader_id])
            case _:
                assert_never(event)

    def _reader(self, event: AboutReader, reader: Reader) -> Iterator[str]:
        match event:
            case ReaderRegistered():
                if reader.registered:
                    yield "the reader is registered already"
                if not reader.registered and reader.address is not None:
                    yield "the address outlived the contract"
                reader.registered = True
            case ReaderContractCanceled():
                if not reader.registered:
                    yield "the reader is not registered"
                if reader.copies:
                    yield "the reader has books"
                reader.registered = False
            case ReaderEmailClaimed(email_hash=address):
                if not reader.registered:
                    yield "the reader is not registered"
                if address in self.owners:
                    yield "the address is taken"
                if reader.address is not None:
                    yield "the reader has another address"
                self.owners[address], reader.address = event.reader_id, address
            case ReaderEmailReleased(email_hash=address):
                if reader.address != address:
                    yield "the reader does not have the address"
                self.owners.pop(address, None)
                reader.address = None
            case _:
                assert_never(event)

    def _circulation(
        self, event: BookCopyAddedToCirculation | BookCopyRemovedFromCirculation, copy: Copy
    ) -> Iterator[str]:
        yield from _overlooked(copy)
        match event:
            case BookCopyAddedToCirculation():
                if copy.in_circulation:
                    yield "the copy is in circulation already"
                copy.in_circulation = True
            case BookCopyRemovedFromCirculation():
                if not copy.in_circulation:
                    yield "the copy is not in circulation"
                if copy.lent_to is not None:
                    yield "a reader has the copy"
                copy.in_circulation = False
            case _:
                assert_never(event)

    def _loan(
        self, event: BookCopyLentToReader | BookCopyReturnedByReader, copy: Copy, reader: Reader
    ) -> Iterator[str]:
        yield from _overlooked(copy)
        match event:
            case BookCopyLentToReader():
                if not reader.registered:
                    yield "the reader is not registered"
                if not copy.in_circulation:
                    yield "the copy is not in circulation"
                if copy.lent_to is not None:
                    yield "a reader has the copy"
                if copy.held_for not in (None, event.reader_id):
                    yield "the copy is held for another reader"
                reader.copies += 1
                if reader.copies > MOST_COPIES_PER_READER:
                    yield f"the reader has more than {MOST_COPIES_PER_READER} copies"
                copy.lent_to = event.reader_id
                _leave_queue(event.reader_id, copy, reader)
            case BookCopyReturnedByReader():
                if copy.lent_to != event.reader_id:
                    yield "the reader does not have the copy"
                reader.copies -= 1
                copy.lent_to = None
            case _:
                assert_never(event)

    def _queue(self, event: AboutQueue, copy: Copy, reader: Reader) -> Iterator[str]:
        match event:
            case BookReserved():
                yield from _overlooked(copy)
                if not reader.registered:
                    yield "the reader is not registered"
                if not copy.in_circulation:
                    yield "the copy is not in circulation"
                if copy.lent_to is None and copy.held_for is None:
                    yield "the copy is free"
                if copy.lent_to == event.reader_id:
                    yield "the reader has the copy"
                if event.reader_id in copy.waiting:
                    yield "the reader waits for the copy already"
                reader.reservations += 1
                if reader.reservations > MOST_RESERVATIONS_PER_READER:
                    yield f"the reader waits for more than {MOST_RESERVATIONS_PER_READER} copies"
                copy.waiting.append(event.reader_id)
            case BookReservationCanceled():
                if event.reader_id not in copy.waiting:
                    yield "the reader does not wait for the copy"
                _leave_queue(event.reader_id, copy, reader)
            case BookHeldForReader():
                if copy.lent_to is not None:
                    yield "a reader has the copy"
                if copy.held_for is not None:
                    yield "the copy is held already"
                if event.reader_id not in copy.waiting[:1]:
                    yield "another reader is the next"
                copy.held_for, copy.held_until = event.reader_id, event.held_until
            case BookHoldExpired():
                if copy.held_for != event.reader_id:
                    yield "the copy is not held for the reader"
                elif copy.held_until is not None and event.occurred_at <= copy.held_until:
                    yield "the reader still had time"
                _leave_queue(event.reader_id, copy, reader)
            case _:
                assert_never(event)


def _overlooked(copy: Copy) -> Iterator[str]:
    """A copy that becomes free while somebody waits is held at once: nothing else happens to it before."""
    if copy.waiting and copy.lent_to is None and copy.held_for is None:
        yield "the copy should have been held for the next reader"


def _leave_queue(reader_id: str, copy: Copy, reader: Reader) -> None:
    if reader_id in copy.waiting:
        copy.waiting.remove(reader_id)
        reader.reservations -= 1
    if copy.held_for == reader_id:
        copy.held_for = copy.held_until = None
