"""Everything that can be on record in the library. Slices meet here, and only here."""

from typing import ClassVar

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


EVENTS: tuple[type[DomainEvent], ...] = (
    BookCopyAddedToCirculation,
    BookCopyRemovedFromCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
    ReaderContractCanceled,
    LendingBookToReaderFailed,
    ReturningBookFromReaderFailed,
    RemovingBookFromCirculationFailed,
    CancelingReaderContractFailed,
)
