"""What people ask of the library when they meet, and how it is recorded that they were refused."""

from dataclasses import replace

from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.cancel_reservation.command import CancelReservation
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.events import (
    CancelingReaderContractFailed,
    ClaimingReaderEmailFailed,
    LendingBookToReaderFailed,
    RemovingBookFromCirculationFailed,
    ReservingBookFailed,
)
from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.register_reader.command import RegisterReader
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.reserve_book.command import ReserveBook
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from tests.slices.lending.world import ADDED, ANN, BOB, BOOK, CAT, HASH, NOON, OTHER_BOOK, OTHER_HASH

ADD = AddBookCopyToCirculation(
    book_id=BOOK,
    isbn=ADDED.isbn,
    title=ADDED.title,
    authors=ADDED.authors,
    edition=ADDED.edition,
    publisher=ADDED.publisher,
    publication_year=ADDED.publication_year,
    occurred_at=NOON,
)
ADD_ANOTHER = replace(ADD, book_id=OTHER_BOOK)
REGISTER_ANN, REGISTER_BOB = RegisterReader(ANN, "Ann", NOON), RegisterReader(BOB, "Bob", NOON)
LEND_TO_ANN, LEND_TO_BOB = LendBookToReader(BOOK, ANN, NOON), LendBookToReader(BOOK, BOB, NOON)
LEND_ANOTHER_TO_BOB = LendBookToReader(OTHER_BOOK, BOB, NOON)
RETURN_FROM_ANN, RETURN_FROM_BOB = ReturnBookFromReader(BOOK, ANN, NOON), ReturnBookFromReader(BOOK, BOB, NOON)
RESERVE_FOR_BOB, RESERVE_FOR_CAT = ReserveBook(BOOK, BOB, NOON), ReserveBook(BOOK, CAT, NOON)
BOB_GIVES_UP = CancelReservation(BOOK, BOB, NOON)
CAT_GIVES_UP = CancelReservation(BOOK, CAT, NOON)
REMOVE = RemoveBookCopyFromCirculation(BOOK, NOON)
CANCEL_BOB = CancelReaderContract(BOB, NOON)
CLAIM_FOR_ANN, CLAIM_FOR_BOB = ClaimReaderEmail(ANN, HASH, NOON), ClaimReaderEmail(BOB, HASH, NOON)
CLAIM_ANOTHER_FOR_ANN, CLAIM_ANOTHER_FOR_BOB = (ClaimReaderEmail(who, OTHER_HASH, NOON) for who in (ANN, BOB))
REGISTER_BOB_WITH_ADDRESS = RegisterReader(BOB, "Bob", NOON, HASH)
EXPIRE = ExpireHolds(BOOK, NOON)


def lending_failed(reader: str, reason: str) -> LendingBookToReaderFailed:
    return LendingBookToReaderFailed(BOOK, reader, reason, occurred_at=NOON)


def reserving_failed(reader: str, reason: str) -> ReservingBookFailed:
    return ReservingBookFailed(BOOK, reader, reason, occurred_at=NOON)


def canceling_failed(reason: str) -> CancelingReaderContractFailed:
    return CancelingReaderContractFailed(BOB, reason, occurred_at=NOON)


def claiming_failed(reason: str) -> ClaimingReaderEmailFailed:
    return ClaimingReaderEmailFailed(BOB, reason, occurred_at=NOON)


def removing_failed(reason: str) -> RemovingBookFromCirculationFailed:
    return RemovingBookFromCirculationFailed(BOOK, reason, occurred_at=NOON)
