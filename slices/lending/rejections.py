"""Why the library refuses: one class per reason, shared by the slices that give it."""

from dataclasses import dataclass
from typing import ClassVar

from slices.decision import Rejection
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER


@dataclass(frozen=True, slots=True)
class ReaderNotRegistered(Rejection):
    """The reader never registered, or has ended the contract."""

    name: ClassVar[str] = "ReaderNotRegistered"
    message: ClassVar[str] = "The reader is not registered."

    reader_id: str


@dataclass(frozen=True, slots=True)
class ReaderNeverRegistered(Rejection):
    """Nobody ever registered under this id."""

    name: ClassVar[str] = "ReaderNeverRegistered"
    message: ClassVar[str] = "No reader was ever registered under this number."

    reader_id: str


@dataclass(frozen=True, slots=True)
class ReaderAtQuota(Rejection):
    """The reader holds as many copies as one reader may."""

    name: ClassVar[str] = "ReaderAtQuota"
    message: ClassVar[str] = f"The reader has {MOST_COPIES_PER_READER} copies already; no reader may have more."

    reader_id: str


@dataclass(frozen=True, slots=True)
class BookNotInCirculation(Rejection):
    """The copy was never added, or has been removed."""

    name: ClassVar[str] = "BookNotInCirculation"
    message: ClassVar[str] = "The copy is not in circulation."

    book_id: str


@dataclass(frozen=True, slots=True)
class BookNeverAdded(Rejection):
    """No copy was ever added under this id."""

    name: ClassVar[str] = "BookNeverAdded"
    message: ClassVar[str] = "The library never had this copy."

    book_id: str


@dataclass(frozen=True, slots=True)
class BookAlreadyLent(Rejection):
    """Somebody else has the copy: `reader_id` says who."""

    name: ClassVar[str] = "BookAlreadyLent"
    message: ClassVar[str] = "The copy is lent to another reader."

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class BookNotLentToReader(Rejection):
    """The reader never had this copy."""

    name: ClassVar[str] = "BookNotLentToReader"
    message: ClassVar[str] = "The copy was never lent to this reader."

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class BookCurrentlyLent(Rejection):
    """A reader has the copy, so it cannot be taken out of circulation: `reader_id` says who."""

    name: ClassVar[str] = "BookCurrentlyLent"
    message: ClassVar[str] = "A reader has the copy. It has to come back first."

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class ReaderHasOutstandingLoans(Rejection):
    """The reader has copies, so the contract cannot end: `copies` says how many."""

    name: ClassVar[str] = "ReaderHasOutstandingLoans"
    message: ClassVar[str] = "The reader still has books. They have to come back first."

    reader_id: str
    copies: int


@dataclass(frozen=True, slots=True)
class EmailAlreadyClaimed(Rejection):
    """Another reader has this address. Who it is, is not told."""

    name: ClassVar[str] = "EmailAlreadyClaimed"
    message: ClassVar[str] = "Another reader is registered with this address."

    reader_id: str


@dataclass(frozen=True, slots=True)
class BookIsAvailable(Rejection):
    """Nobody has the copy and nobody has it held, so there is nothing to wait for."""

    name: ClassVar[str] = "BookIsAvailable"
    message: ClassVar[str] = "The copy is free: it can be lent now."

    book_id: str


@dataclass(frozen=True, slots=True)
class BookLentToThisReader(Rejection):
    """The reader has the copy."""

    name: ClassVar[str] = "BookLentToThisReader"
    message: ClassVar[str] = "The reader has this copy already."

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class TooManyReservations(Rejection):
    """The reader waits for as many copies as one reader may."""

    name: ClassVar[str] = "TooManyReservations"
    message: ClassVar[str] = (
        f"The reader waits for {MOST_RESERVATIONS_PER_READER} copies already; no reader may wait for more."
    )

    reader_id: str


@dataclass(frozen=True, slots=True)
class BookHeldForAnother(Rejection):
    """The copy lies ready for a reader who waited for it: `reader_id` says who."""

    name: ClassVar[str] = "BookHeldForAnother"
    message: ClassVar[str] = "The copy is held for another reader, who waited for it."

    book_id: str
    reader_id: str
