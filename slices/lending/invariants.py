"""What is true of every log of a library, whatever the slices do: an auditor who believes nothing.

Written from the rules and not from the slices. A slice decides on its own boundary; this folds everything, so it sees
what a boundary that is too small, or an append without its guard, lets through. Pure.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    BookReserved,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER, TIME_TO_COLLECT

NOT_HELD: Final = "the copy should have been held for the next reader"
NOT_RELEASED: Final = "the address should have been released with the contract"

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
    owing_hold: set[str] = field(default_factory=set[str])
    """Copies that became free while somebody waits: the very next that happens to them has to be the hold."""
    owing_release: set[str] = field(default_factory=set[str])
    """Readers whose contract has ended: the very next that happens to them has to be the release of their address."""

    def objections(self, event: Audited) -> Iterator[str]:
        """What speaks against this event as the next one. Read it to its end: that is what records the event."""
        match event:
            case ReaderRegistered() | ReaderContractCanceled() | ReaderEmailClaimed() | ReaderEmailReleased():
                yield from self._unreleased(event)
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
                reader.registered = True
            case ReaderContractCanceled():
                if not reader.registered:
                    yield "the reader is not registered"
                if reader.copies:
                    yield "the reader has books"
                reader.registered = False
                if reader.address is not None:
                    self.owing_release.add(event.reader_id)
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
                self.owing_release.discard(event.reader_id)
            case _:
                assert_never(event)

    def _circulation(
        self, event: BookCopyAddedToCirculation | BookCopyRemovedFromCirculation, copy: Copy
    ) -> Iterator[str]:
        yield from self._unheld(event)
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
        yield from self._unheld(event)
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
                self._owe_hold(event.book_id, copy)
            case _:
                assert_never(event)

    def _queue(self, event: AboutQueue, copy: Copy, reader: Reader) -> Iterator[str]:
        yield from self._unheld(event)
        match event:
            case BookReserved():
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
                self._end_hold(event, copy, reader)
            case BookHeldForReader():
                if copy.lent_to is not None:
                    yield "a reader has the copy"
                if copy.held_for is not None:
                    yield "the copy is held already"
                if event.reader_id not in copy.waiting[:1]:
                    yield "another reader is the next"
                if event.held_until != event.occurred_at + TIME_TO_COLLECT:
                    yield "the reader has another time to collect the copy than agreed"
                copy.held_for, copy.held_until = event.reader_id, event.held_until
            case BookHoldExpired():
                if copy.held_for != event.reader_id:
                    yield "the copy is not held for the reader"
                elif copy.held_until is not None and event.occurred_at <= copy.held_until:
                    yield "the reader still had time"
                self._end_hold(event, copy, reader)
            case _:
                assert_never(event)

    def _end_hold(self, event: BookReservationCanceled | BookHoldExpired, copy: Copy, reader: Reader) -> None:
        was_held = copy.held_for == event.reader_id
        _leave_queue(event.reader_id, copy, reader)
        if was_held:
            self._owe_hold(event.book_id, copy)

    def _owe_hold(self, book_id: str, copy: Copy) -> None:
        if copy.waiting:
            self.owing_hold.add(book_id)

    def _unheld(self, event: AboutShelf | AboutQueue) -> Iterator[str]:
        if event.book_id in self.owing_hold and not isinstance(event, BookHeldForReader):
            yield NOT_HELD
        self.owing_hold.discard(event.book_id)

    def _unreleased(self, event: AboutReader) -> Iterator[str]:
        if event.reader_id in self.owing_release and not isinstance(event, ReaderEmailReleased):
            yield NOT_RELEASED
        self.owing_release.discard(event.reader_id)

    def at_the_end(self) -> Iterator[str]:
        """What the log should have gone on with."""
        yield from (f"{NOT_HELD}: {book_id}" for book_id in sorted(self.owing_hold))
        yield from (f"{NOT_RELEASED}: {reader_id}" for reader_id in sorted(self.owing_release))


def _leave_queue(reader_id: str, copy: Copy, reader: Reader) -> None:
    if reader_id in copy.waiting:
        copy.waiting.remove(reader_id)
        reader.reservations -= 1
    if copy.held_for == reader_id:
        copy.held_for = copy.held_until = None
