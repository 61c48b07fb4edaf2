"""Commands of the library that meet."""

from dataclasses import replace
from datetime import timedelta

from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.cancel_reservation.command import CancelReservation
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.events import (
    CancelingReaderContractFailed,
    ClaimingReaderEmailFailed,
    LendingBookToReaderFailed,
    ReaderRegistered,
    RemovingBookFromCirculationFailed,
    ReservingBookFailed,
)
from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER, TIME_TO_COLLECT
from slices.lending.register_reader.command import RegisterReader
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.reserve_book.command import ReserveBook
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    CAT,
    HASH,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    OTHER_HASH,
    REMOVED,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    added,
    book_id,
    claimed,
    gave_up,
    held,
    hold_expired,
    lent,
    released,
    reserved,
    returned,
)
from tests.slices.races import Race

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
LATE = NOON - timedelta(hours=1)
EXPIRE = ExpireHolds(BOOK, NOON)

CAT_REGISTERED = ReaderRegistered(CAT, "Cat", occurred_at=NOON)
LIBRARY = (ADDED, added(OTHER_BOOK), ANN_REGISTERED, BOB_REGISTERED, CAT_REGISTERED)
WITH_ANN = (*LIBRARY, LENT_TO_ANN)
HELD_FOR_BOB = (*WITH_ANN, reserved(BOOK, BOB), RETURNED_BY_ANN, held(BOOK, BOB, LATE))
HELD_FOR_CAT = (*WITH_ANN, reserved(BOOK, CAT), RETURNED_BY_ANN, held(BOOK, CAT, LATE))
BOB_AND_CAT_WAIT = (*WITH_ANN, reserved(BOOK, BOB), reserved(BOOK, CAT), RETURNED_BY_ANN, held(BOOK, BOB, LATE))
NEXT_HOLD = NOON + TIME_TO_COLLECT
NINE_COPIES_WITH_BOB = [lent(book_id(number), BOB) for number in range(MOST_COPIES_PER_READER - 1)]
TWO_RESERVATIONS_OF_BOB = [reserved(book_id(number), BOB) for number in range(MOST_RESERVATIONS_PER_READER - 1)]
BOB_WAITED_IN_VAIN_OR_NOT = (
    *(reserved(book_id(number), BOB) for number in range(3)),
    gave_up(book_id(0), BOB),
    hold_expired(book_id(1), BOB),
    lent(book_id(2), BOB),
    reserved(book_id(3), BOB),
    reserved(book_id(4), BOB),
)


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


ADDING_AND_REGISTERING = {
    "a copy is added twice at once": Race((), ADD, ADD, (ADDED,)),
    "a copy is added again, twice at once": Race((ADDED, REMOVED), ADD, ADD, (ADDED,)),
    "a copy is added again, another for the first time": Race(
        (ADDED, REMOVED), ADD_ANOTHER, ADD, (added(OTHER_BOOK), ADDED), disturbed=False
    ),
    "a reader is registered twice at once": Race((), REGISTER_BOB, REGISTER_BOB, (BOB_REGISTERED,)),
    "a reader comes again, another for the first time": Race(
        (BOB_REGISTERED, BOB_CANCELED), REGISTER_ANN, REGISTER_BOB, (ANN_REGISTERED, BOB_REGISTERED), disturbed=False
    ),
    "a reader comes again, twice at once": Race(
        (BOB_REGISTERED, BOB_CANCELED), REGISTER_BOB, REGISTER_BOB, (BOB_REGISTERED,)
    ),
}

LENDING = {
    "two readers want one copy": Race(
        LIBRARY, LEND_TO_ANN, LEND_TO_BOB, (LENT_TO_ANN, lending_failed(BOB, "BookAlreadyLent"))
    ),
    "a copy is lent twice at once": Race(LIBRARY, LEND_TO_BOB, LEND_TO_BOB, (LENT_TO_BOB,)),
    "tenth and eleventh copy": Race(
        (*LIBRARY, *NINE_COPIES_WITH_BOB),
        LEND_ANOTHER_TO_BOB,
        LEND_TO_BOB,
        (lent(OTHER_BOOK, BOB), lending_failed(BOB, "ReaderAtQuota")),
    ),
    "ninth and tenth copy, one of which came back before": Race(
        (*WITH_ANN, RETURNED_BY_ANN, *NINE_COPIES_WITH_BOB, returned(book_id(0), BOB)),
        LEND_ANOTHER_TO_BOB,
        LEND_TO_BOB,
        (lent(OTHER_BOOK, BOB), LENT_TO_BOB),
    ),
    "two readers want a copy for which somebody gave up waiting": Race(
        (*HELD_FOR_CAT, gave_up(BOOK, CAT)),
        LEND_TO_ANN,
        LEND_TO_BOB,
        (LENT_TO_ANN, lending_failed(BOB, "BookAlreadyLent")),
    ),
    "two readers want a copy for which somebody came too late": Race(
        (*HELD_FOR_CAT, hold_expired(BOOK, CAT)),
        LEND_TO_ANN,
        LEND_TO_BOB,
        (LENT_TO_ANN, lending_failed(BOB, "BookAlreadyLent")),
    ),
    "a reader comes for a copy that the reader has just given up": Race(
        BOB_AND_CAT_WAIT,
        BOB_GIVES_UP,
        LEND_TO_BOB,
        (gave_up(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD), lending_failed(BOB, "BookHeldForAnother")),
    ),
    "a reader comes when the hold has just ended": Race(
        BOB_AND_CAT_WAIT,
        EXPIRE,
        LEND_TO_BOB,
        (hold_expired(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD), lending_failed(BOB, "BookHeldForAnother")),
    ),
    "two readers want two copies": Race(
        LIBRARY,
        LendBookToReader(OTHER_BOOK, ANN, NOON),
        LEND_TO_BOB,
        (lent(OTHER_BOOK, ANN), LENT_TO_BOB),
        disturbed=False,
    ),
}

RETURNING = {
    "a copy is returned twice at once": Race(
        (*LIBRARY, LENT_TO_BOB), RETURN_FROM_BOB, RETURN_FROM_BOB, (RETURNED_BY_BOB,)
    ),
    "a copy is reserved while it comes back": Race(
        WITH_ANN,
        RESERVE_FOR_BOB,
        RETURN_FROM_ANN,
        (reserved(BOOK, BOB), RETURNED_BY_ANN, held(BOOK, BOB, NEXT_HOLD)),
    ),
    "the only one who waits gives up while the copy comes back": Race(
        (*WITH_ANN, reserved(BOOK, BOB)), BOB_GIVES_UP, RETURN_FROM_ANN, (gave_up(BOOK, BOB), RETURNED_BY_ANN)
    ),
    "a copy that nobody waits for any more is reserved while it comes back": Race(
        (*HELD_FOR_BOB, hold_expired(BOOK, BOB), LENT_TO_ANN),
        RESERVE_FOR_CAT,
        RETURN_FROM_ANN,
        (reserved(BOOK, CAT), RETURNED_BY_ANN, held(BOOK, CAT, NEXT_HOLD)),
    ),
    "a reader borrows one copy and returns another": Race(
        (*LIBRARY, LENT_TO_BOB),
        LEND_ANOTHER_TO_BOB,
        RETURN_FROM_BOB,
        (lent(OTHER_BOOK, BOB), RETURNED_BY_BOB),
        disturbed=False,
    ),
}

RESERVING = {
    "a copy comes back while it is reserved": Race(
        WITH_ANN, RETURN_FROM_ANN, RESERVE_FOR_BOB, (RETURNED_BY_ANN, reserving_failed(BOB, "BookIsAvailable"))
    ),
    "a copy is reserved twice at once": Race(WITH_ANN, RESERVE_FOR_BOB, RESERVE_FOR_BOB, (reserved(BOOK, BOB),)),
    "two readers reserve one copy": Race(
        WITH_ANN, RESERVE_FOR_CAT, RESERVE_FOR_BOB, (reserved(BOOK, CAT), reserved(BOOK, BOB)), disturbed=False
    ),
    "third and fourth reservation": Race(
        (*WITH_ANN, lent(OTHER_BOOK, ANN), *TWO_RESERVATIONS_OF_BOB),
        ReserveBook(OTHER_BOOK, BOB, NOON),
        RESERVE_FOR_BOB,
        (reserved(OTHER_BOOK, BOB), reserving_failed(BOB, "TooManyReservations")),
    ),
    "a third reservation of a reader for whom three others have ended": Race(
        (*WITH_ANN, *BOB_WAITED_IN_VAIN_OR_NOT),
        RESERVE_FOR_CAT,
        RESERVE_FOR_BOB,
        (reserved(BOOK, CAT), reserved(BOOK, BOB)),
        disturbed=False,
    ),
    "who the copy is held for gives up while another reserves it": Race(
        HELD_FOR_CAT, CAT_GIVES_UP, RESERVE_FOR_BOB, (gave_up(BOOK, CAT), reserving_failed(BOB, "BookIsAvailable"))
    ),
    "a hold ends while another reserves the copy": Race(
        HELD_FOR_CAT, EXPIRE, RESERVE_FOR_BOB, (hold_expired(BOOK, CAT), reserving_failed(BOB, "BookIsAvailable"))
    ),
}

WAITING = {
    "a reader gives up twice at once": Race(
        (*WITH_ANN, reserved(BOOK, BOB)), BOB_GIVES_UP, BOB_GIVES_UP, (gave_up(BOOK, BOB),)
    ),
    "a copy comes back while the next reader gives up": Race(
        (*WITH_ANN, reserved(BOOK, BOB), reserved(BOOK, CAT)),
        RETURN_FROM_ANN,
        BOB_GIVES_UP,
        (RETURNED_BY_ANN, held(BOOK, BOB, NEXT_HOLD), gave_up(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD)),
    ),
    "a hold ends while its reader gives up": Race(
        BOB_AND_CAT_WAIT, EXPIRE, BOB_GIVES_UP, (hold_expired(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD))
    ),
    "a reader takes the copy and gives it up": Race(HELD_FOR_BOB, LEND_TO_BOB, BOB_GIVES_UP, (LENT_TO_BOB,)),
    "a hold is ended twice at once": Race(
        BOB_AND_CAT_WAIT, EXPIRE, EXPIRE, (hold_expired(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD))
    ),
    "the last hold is ended twice at once": Race(HELD_FOR_BOB, EXPIRE, EXPIRE, (hold_expired(BOOK, BOB),)),
    "a copy is reserved while its hold ends": Race(
        HELD_FOR_BOB,
        RESERVE_FOR_CAT,
        EXPIRE,
        (reserved(BOOK, CAT), hold_expired(BOOK, BOB), held(BOOK, CAT, NEXT_HOLD)),
    ),
    "a reader gives up while the hold ends": Race(HELD_FOR_BOB, BOB_GIVES_UP, EXPIRE, (gave_up(BOOK, BOB),)),
    "a reader comes while the hold ends": Race(HELD_FOR_BOB, LEND_TO_BOB, EXPIRE, (LENT_TO_BOB,)),
}

REMOVING = {
    "a copy is removed twice at once": Race(LIBRARY, REMOVE, REMOVE, (REMOVED,)),
    "a copy is lent while it is removed": Race(
        LIBRARY, LEND_TO_BOB, REMOVE, (LENT_TO_BOB, removing_failed("BookCurrentlyLent"))
    ),
    "a copy is removed while it is lent": Race(
        LIBRARY, REMOVE, LEND_TO_BOB, (REMOVED, lending_failed(BOB, "BookNotInCirculation"))
    ),
    "a copy is removed while it is reserved": Race(
        HELD_FOR_CAT, REMOVE, RESERVE_FOR_BOB, (REMOVED, reserving_failed(BOB, "BookNotInCirculation"))
    ),
    "a copy that came back is removed": Race(
        (*WITH_ANN, RETURNED_BY_ANN), LEND_ANOTHER_TO_BOB, REMOVE, (lent(OTHER_BOOK, BOB), REMOVED), disturbed=False
    ),
}

LEAVING = {
    "a contract ends twice at once": Race(LIBRARY, CANCEL_BOB, CANCEL_BOB, (BOB_CANCELED,)),
    "a reader borrows while the contract ends": Race(
        LIBRARY, LEND_TO_BOB, CANCEL_BOB, (LENT_TO_BOB, canceling_failed("ReaderHasOutstandingLoans"))
    ),
    "a contract ends while the reader borrows": Race(
        LIBRARY, CANCEL_BOB, LEND_TO_BOB, (BOB_CANCELED, lending_failed(BOB, "ReaderNotRegistered"))
    ),
    "a contract ends while the reader reserves": Race(
        WITH_ANN, CANCEL_BOB, RESERVE_FOR_BOB, (BOB_CANCELED, reserving_failed(BOB, "ReaderNotRegistered"))
    ),
    "a reader who brought everything back leaves": Race(
        (*LIBRARY, LENT_TO_BOB, RETURNED_BY_BOB), LEND_TO_ANN, CANCEL_BOB, (LENT_TO_ANN, BOB_CANCELED), disturbed=False
    ),
    "a reader claims an address while the contract ends": Race(
        LIBRARY, CLAIM_FOR_BOB, CANCEL_BOB, (claimed(BOB), BOB_CANCELED, released(BOB))
    ),
    "a reader who came back without the old address leaves again": Race(
        (*LIBRARY, claimed(BOB), BOB_CANCELED, released(BOB), BOB_REGISTERED),
        LEND_TO_ANN,
        CANCEL_BOB,
        (LENT_TO_ANN, BOB_CANCELED),
        disturbed=False,
    ),
    "a copy is returned while the contract of another reader ends": Race(
        (*LIBRARY, LENT_TO_ANN), CANCEL_BOB, RETURN_FROM_ANN, (BOB_CANCELED, RETURNED_BY_ANN), disturbed=False
    ),
}

CLAIMING = {
    "two readers claim one address": Race(
        LIBRARY, CLAIM_FOR_ANN, CLAIM_FOR_BOB, (claimed(ANN), claiming_failed("EmailAlreadyClaimed"))
    ),
    "an address is claimed twice at once": Race(LIBRARY, CLAIM_FOR_BOB, CLAIM_FOR_BOB, (claimed(BOB),)),
    "a reader claims two addresses at once": Race(
        LIBRARY,
        CLAIM_ANOTHER_FOR_BOB,
        CLAIM_FOR_BOB,
        (claimed(BOB, OTHER_HASH), released(BOB, OTHER_HASH), claimed(BOB)),
    ),
    "a contract ends while the reader claims an address": Race(
        LIBRARY, CANCEL_BOB, CLAIM_FOR_BOB, (BOB_CANCELED, claiming_failed("ReaderNotRegistered"))
    ),
    "an address that another reader gave up is claimed": Race(
        (*LIBRARY, claimed(ANN), released(ANN)),
        LEND_TO_ANN,
        CLAIM_FOR_BOB,
        (LENT_TO_ANN, claimed(BOB)),
        disturbed=False,
    ),
    "a reader who came back claims another address than before": Race(
        (*LIBRARY, claimed(BOB, OTHER_HASH), BOB_CANCELED, released(BOB, OTHER_HASH), BOB_REGISTERED),
        LEND_TO_ANN,
        CLAIM_FOR_BOB,
        (LENT_TO_ANN, claimed(BOB)),
        disturbed=False,
    ),
    "two readers register with one address": Race(
        (ANN_REGISTERED,),
        CLAIM_FOR_ANN,
        REGISTER_BOB_WITH_ADDRESS,
        (claimed(ANN), claiming_failed("EmailAlreadyClaimed")),
    ),
    "a reader registers with an address that another gave up": Race(
        (ANN_REGISTERED, claimed(ANN), released(ANN), BOB_REGISTERED, BOB_CANCELED),
        CLAIM_ANOTHER_FOR_ANN,
        REGISTER_BOB_WITH_ADDRESS,
        (claimed(ANN, OTHER_HASH), BOB_REGISTERED, claimed(BOB)),
        disturbed=False,
    ),
    "a reader registers with and without an address at once": Race(
        (), REGISTER_BOB, REGISTER_BOB_WITH_ADDRESS, (BOB_REGISTERED,)
    ),
}

RACES = {**ADDING_AND_REGISTERING, **LENDING, **RETURNING, **RESERVING, **WAITING, **REMOVING, **LEAVING, **CLAIMING}
