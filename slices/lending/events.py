"""Everything that can be on record in the library. Slices meet here, and only here."""

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec

from slices.domain_event import DomainEvent


class BookCopyAddedToCirculation(DomainEvent, frozen=True):
    """A copy is on the shelf for readers. `book_id` names this one copy; copies of one title share the ISBN."""

    TYPE: ClassVar[str] = "BookCopyAddedToCirculation"

    book_id: str
    isbn: str
    title: str
    authors: str
    edition: str
    publisher: str
    publication_year: int


class BookCopyRemovedFromCirculation(DomainEvent, frozen=True):
    """A copy is no longer offered."""

    TYPE: ClassVar[str] = "BookCopyRemovedFromCirculation"

    book_id: str


class BookCopyLentToReader(DomainEvent, frozen=True):
    """A reader took a copy home."""

    TYPE: ClassVar[str] = "BookCopyLentToReader"

    book_id: str
    reader_id: str


class BookCopyReturnedByReader(DomainEvent, frozen=True):
    """A reader brought a copy back."""

    TYPE: ClassVar[str] = "BookCopyReturnedByReader"

    book_id: str
    reader_id: str


class ReaderRegistered(DomainEvent, frozen=True):
    """A person may borrow books."""

    TYPE: ClassVar[str] = "ReaderRegistered"

    reader_id: str
    name: str


class ReaderContractCanceled(DomainEvent, frozen=True):
    """A person may no longer borrow books."""

    TYPE: ClassVar[str] = "ReaderContractCanceled"

    reader_id: str


class ReaderEmailClaimed(DomainEvent, frozen=True):
    """A reader is reached at an address that no other reader has. The log knows only its keyed hash."""

    TYPE: ClassVar[str] = "ReaderEmailClaimed"

    reader_id: str
    email_hash: str


class ReaderEmailReleased(DomainEvent, frozen=True):
    """A reader no longer has an address: another one may claim it."""

    TYPE: ClassVar[str] = "ReaderEmailReleased"

    reader_id: str
    email_hash: str


class BookReserved(DomainEvent, frozen=True):
    """A reader waits for a copy that is not free. Who reserves first is served first."""

    TYPE: ClassVar[str] = "BookReserved"

    book_id: str
    reader_id: str


class BookReservationCanceled(DomainEvent, frozen=True):
    """A reader no longer waits. A hold for this reader ends with it."""

    TYPE: ClassVar[str] = "BookReservationCanceled"

    book_id: str
    reader_id: str


class BookHeldForReader(DomainEvent, frozen=True):
    """A copy lies ready for the first reader who waits for it, until `held_until`."""

    TYPE: ClassVar[str] = "BookHeldForReader"

    book_id: str
    reader_id: str
    held_until: Annotated[datetime, msgspec.Meta(tz=True)]


class BookHoldExpired(DomainEvent, frozen=True):
    """A reader did not come in time. The reservation ends with the hold."""

    TYPE: ClassVar[str] = "BookHoldExpired"

    book_id: str
    reader_id: str


class LendingBookToReaderFailed(DomainEvent, frozen=True):
    """A copy could not be lent. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "LendingBookToReaderFailed"

    book_id: str
    reader_id: str
    failure_info: str


class ReturningBookFromReaderFailed(DomainEvent, frozen=True):
    """A copy could not be taken back. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "ReturningBookFromReaderFailed"

    book_id: str
    reader_id: str
    failure_info: str


class RemovingBookFromCirculationFailed(DomainEvent, frozen=True):
    """A copy could not be taken out of circulation. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "RemovingBookFromCirculationFailed"

    book_id: str
    failure_info: str


class CancelingReaderContractFailed(DomainEvent, frozen=True):
    """A contract could not be ended. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "CancelingReaderContractFailed"

    reader_id: str
    failure_info: str


class ReservingBookFailed(DomainEvent, frozen=True):
    """A copy could not be reserved. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "ReservingBookFailed"

    book_id: str
    reader_id: str
    failure_info: str


class ClaimingReaderEmailFailed(DomainEvent, frozen=True):
    """An address could not be claimed. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "ClaimingReaderEmailFailed"

    reader_id: str
    failure_info: str


EVENTS: tuple[type[DomainEvent], ...] = (
    BookCopyAddedToCirculation,
    BookCopyRemovedFromCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    BookReserved,
    BookReservationCanceled,
    BookHeldForReader,
    BookHoldExpired,
    LendingBookToReaderFailed,
    ReturningBookFromReaderFailed,
    RemovingBookFromCirculationFailed,
    CancelingReaderContractFailed,
    ReservingBookFailed,
    ClaimingReaderEmailFailed,
)
