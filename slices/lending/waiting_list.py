"""Who waits for a copy, in which order, and for whom it lies ready: one idea that several slices decide by. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyLentToReader,
    BookHeldForReader,
    BookHoldExpired,
    BookReservationCanceled,
    BookReserved,
)
from slices.lending.limits import TIME_TO_COLLECT

QueueEvent: TypeAlias = (
    BookReserved | BookReservationCanceled | BookHeldForReader | BookHoldExpired | BookCopyLentToReader
)


@dataclass(frozen=True, slots=True)
class WaitingList:
    """The readers who wait for one copy.

    >>> WaitingList(("ann", "bob")).without("ann").readers
    ('bob',)

    Attributes:
        readers: first come, first served. Who has the copy held is still on the list.
        held_for, held_until: whose turn it is, and until when; None while the copy is not held.
    """

    readers: tuple[str, ...] = ()
    held_for: str | None = None
    held_until: datetime | None = None

    def after(self, event: QueueEvent) -> "WaitingList":
        """The list after one more event of this copy. Whoever gets the copy, or gives up, waits no longer."""
        match event:
            case BookReserved(reader_id=reader_id):
                return replace(self, readers=(*self.readers, reader_id))
            case BookHeldForReader(reader_id=reader_id, held_until=held_until):
                return replace(self, held_for=reader_id, held_until=held_until)
            case BookReservationCanceled() | BookHoldExpired() | BookCopyLentToReader():
                return self.without(event.reader_id)
            case _:
                assert_never(event)

    def without(self, reader_id: str) -> "WaitingList":
        """The list when this reader waits no longer. A hold for the reader ends with it."""
        readers = tuple(reader for reader in self.readers if reader != reader_id)
        return WaitingList(readers) if self.held_for == reader_id else replace(self, readers=readers)

    def next_hold(self, book_id: str, now: datetime) -> tuple[BookHeldForReader, ...]:
        """The hold for the first on the list, for a copy that just became free; nothing if nobody waits."""
        if not self.readers:
            return ()
        return (BookHeldForReader(book_id, self.readers[0], now + TIME_TO_COLLECT, occurred_at=now),)


NOBODY_WAITS: Final = WaitingList()
