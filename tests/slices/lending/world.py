"""The people and books of the tests, and what happens to them."""

import hashlib
from datetime import UTC, datetime
from typing import Final

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
from slices.lending.limits import TIME_TO_COLLECT

NOON: Final = datetime(2025, 7, 1, 12, tzinfo=UTC)

BOOK: Final = "0198226e-19f6-7d29-8be9-10871e23e820"
OTHER_BOOK: Final = "0198226e-19f6-7d29-8be9-10871e23e821"
ANN: Final = "0198226e-19f6-7d2a-8342-dc5c8d5a2cd5"
BOB: Final = "0198226e-19f6-7d2a-8342-dc5c8d5a2cd6"
CAT: Final = "0198226e-19f6-7d2a-8342-dc5c8d5a2cd7"

ADDRESS: Final = "one@example.org"
OTHER_ADDRESS: Final = "other@example.org"
HASH, OTHER_HASH = (hashlib.sha256(address.encode()).hexdigest() for address in (ADDRESS, OTHER_ADDRESS))
"""Under which the application of the tests keeps the two addresses."""


def book_id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def added(book: str, title: str = "Learning Domain-Driven Design") -> BookCopyAddedToCirculation:
    return BookCopyAddedToCirculation(
        book_id=book,
        isbn="9781098100131",
        title=title,
        authors="Vlad Khononov",
        edition="First Edition",
        publisher="O'Reilly Media, Inc.",
        publication_year=2021,
        occurred_at=NOON,
    )


def lent(book: str, reader: str, at: datetime = NOON) -> BookCopyLentToReader:
    return BookCopyLentToReader(book, reader, occurred_at=at)


def returned(book: str, reader: str, at: datetime = NOON) -> BookCopyReturnedByReader:
    return BookCopyReturnedByReader(book, reader, occurred_at=at)


def claimed(reader: str, email_hash: str = HASH) -> ReaderEmailClaimed:
    return ReaderEmailClaimed(reader, email_hash, occurred_at=NOON)


def released(reader: str, email_hash: str = HASH) -> ReaderEmailReleased:
    return ReaderEmailReleased(reader, email_hash, occurred_at=NOON)


def reserved(book: str, reader: str, at: datetime = NOON) -> BookReserved:
    return BookReserved(book, reader, occurred_at=at)


def gave_up(book: str, reader: str) -> BookReservationCanceled:
    return BookReservationCanceled(book, reader, occurred_at=NOON)


def held(book: str, reader: str, until: datetime = NOON + TIME_TO_COLLECT) -> BookHeldForReader:
    return BookHeldForReader(book, reader, until, occurred_at=NOON)


def hold_expired(book: str, reader: str) -> BookHoldExpired:
    return BookHoldExpired(book, reader, occurred_at=NOON)


ADDED: Final = added(BOOK)
REMOVED: Final = BookCopyRemovedFromCirculation(BOOK, occurred_at=NOON)
ANN_REGISTERED: Final = ReaderRegistered(ANN, "Ann", occurred_at=NOON)
BOB_REGISTERED: Final = ReaderRegistered(BOB, "Bob", occurred_at=NOON)
BOB_CANCELED: Final = ReaderContractCanceled(BOB, occurred_at=NOON)
LENT_TO_ANN: Final = lent(BOOK, ANN)
LENT_TO_BOB: Final = lent(BOOK, BOB)
RETURNED_BY_ANN: Final = returned(BOOK, ANN)
RETURNED_BY_BOB: Final = returned(BOOK, BOB)
