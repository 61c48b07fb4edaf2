"""What happened in the library before two commands meet."""

from datetime import timedelta

from slices.lending.events import ReaderRegistered
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER, TIME_TO_COLLECT
from tests.slices.lending.world import (
    ADDED,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    CAT,
    LENT_TO_ANN,
    NOON,
    OTHER_BOOK,
    RETURNED_BY_ANN,
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
)

LATE = NOON - timedelta(hours=1)

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
