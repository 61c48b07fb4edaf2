"""Commands that meet over a reader: one who comes, leaves, or claims an address."""

from tests.slices.lending.commands import (
    CANCEL_BOB,
    CLAIM_ANOTHER_FOR_ANN,
    CLAIM_ANOTHER_FOR_BOB,
    CLAIM_FOR_ANN,
    CLAIM_FOR_BOB,
    LEND_TO_ANN,
    LEND_TO_BOB,
    REGISTER_ANN,
    REGISTER_BOB,
    REGISTER_BOB_WITH_ADDRESS,
    RESERVE_FOR_BOB,
    RETURN_FROM_ANN,
    canceling_failed,
    claiming_failed,
    lending_failed,
    reserving_failed,
)
from tests.slices.lending.histories import LIBRARY, WITH_ANN
from tests.slices.lending.world import (
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    LENT_TO_ANN,
    LENT_TO_BOB,
    OTHER_HASH,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    claimed,
    released,
)
from tests.slices.races import Race

REGISTERING = {
    "a reader is registered twice at once": Race((), REGISTER_BOB, REGISTER_BOB, (BOB_REGISTERED,)),
    "a reader comes again, another for the first time": Race(
        (BOB_REGISTERED, BOB_CANCELED), REGISTER_ANN, REGISTER_BOB, (ANN_REGISTERED, BOB_REGISTERED), disturbed=False
    ),
    "a reader comes again, twice at once": Race(
        (BOB_REGISTERED, BOB_CANCELED), REGISTER_BOB, REGISTER_BOB, (BOB_REGISTERED,)
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
