"""Commands that meet over the queue for a copy: somebody waits, gives up, or comes too late for a hold."""

from slices.lending.reserve_book.command import ReserveBook
from tests.slices.lending.commands import (
    BOB_GIVES_UP,
    CAT_GIVES_UP,
    EXPIRE,
    LEND_TO_BOB,
    RESERVE_FOR_BOB,
    RESERVE_FOR_CAT,
    RETURN_FROM_ANN,
    reserving_failed,
)
from tests.slices.lending.histories import (
    BOB_AND_CAT_WAIT,
    BOB_WAITED_IN_VAIN_OR_NOT,
    HELD_FOR_BOB,
    HELD_FOR_CAT,
    NEXT_HOLD,
    TWO_RESERVATIONS_OF_BOB,
    WITH_ANN,
)
from tests.slices.lending.world import (
    ANN,
    BOB,
    BOOK,
    CAT,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    RETURNED_BY_ANN,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
)
from tests.slices.races import Race

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
