"""Commands that meet over a copy: it is added, lent, brought back and removed."""

from slices.lending.lend_book_to_reader.command import LendBookToReader
from tests.slices.lending.commands import (
    ADD,
    ADD_ANOTHER,
    BOB_GIVES_UP,
    EXPIRE,
    LEND_ANOTHER_TO_BOB,
    LEND_TO_ANN,
    LEND_TO_BOB,
    REMOVE,
    RESERVE_FOR_BOB,
    RESERVE_FOR_CAT,
    RETURN_FROM_ANN,
    RETURN_FROM_BOB,
    lending_failed,
    removing_failed,
    reserving_failed,
)
from tests.slices.lending.histories import (
    BOB_AND_CAT_WAIT,
    HELD_FOR_BOB,
    HELD_FOR_CAT,
    LIBRARY,
    NEXT_HOLD,
    NINE_COPIES_WITH_BOB,
    WITH_ANN,
)
from tests.slices.lending.world import (
    ADDED,
    ANN,
    BOB,
    BOOK,
    CAT,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
    returned,
)
from tests.slices.races import Race

ADDING = {
    "a copy is added twice at once": Race((), ADD, ADD, (ADDED,)),
    "a copy is added again, twice at once": Race((ADDED, REMOVED), ADD, ADD, (ADDED,)),
    "a copy is added again, another for the first time": Race(
        (ADDED, REMOVED), ADD_ANOTHER, ADD, (added(OTHER_BOOK), ADDED), disturbed=False
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
