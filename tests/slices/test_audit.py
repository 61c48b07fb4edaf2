"""The auditors: a lawful history meets no objection, and every unlawful event meets exactly the right one."""

from datetime import timedelta

import pytest

from eventstore import FilterBuilder
from slices.audit import AUDITED, audit
from slices.codec import EVENT_CLASSES
from slices.domain_event import DomainEvent
from slices.enrollment.events import CourseDefined, StudentRegistered
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.lending.events import (
    BookHoldExpired,
    LendingBookToReaderFailed,
    ReaderContractCanceled,
    ReaderEmailClaimed,
    ReaderEmailReleased,
    ReaderRegistered,
)
from slices.lending.limits import MOST_COPIES_PER_READER, MOST_RESERVATIONS_PER_READER, TIME_TO_COLLECT
from slices.testing import stored
from tests.slices.enrollment.world import (
    ADA,
    ADA_REGISTERED,
    EVE,
    EVE_REGISTERED,
    LATIN,
    LATIN_DEFINED,
    capacity_changed,
    enrolled,
    some_id,
    withdrawn,
)
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    CAT,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
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
)

EVERYTHING = FilterBuilder().matching_any_event()
AFTER_THE_HOLD = NOON + TIME_TO_COLLECT + timedelta(microseconds=1)
EXPIRED_IN_TIME = BookHoldExpired(BOOK, BOB, occurred_at=AFTER_THE_HOLD)
CLAIMED_BY_ANN = ReaderEmailClaimed(ANN, "a1", occurred_at=NOON)
RELEASED_BY_ANN = ReaderEmailReleased(ANN, "a1", occurred_at=NOON)
CLAIMED_BY_BOB = ReaderEmailClaimed(BOB, "a1", occurred_at=NOON)
ANN_CANCELED = ReaderContractCanceled(ANN, occurred_at=NOON)
FAILED = LendingBookToReaderFailed(BOOK, ANN, "BookAlreadyLent", occurred_at=NOON)

CAT_REGISTERED = ReaderRegistered(CAT, "Cat", occurred_at=NOON)
TWO_READERS = (ADDED, ANN_REGISTERED, BOB_REGISTERED)
BOB_WAITS = (*TWO_READERS, LENT_TO_ANN, reserved(BOOK, BOB))
BOB_IS_NEXT = (*BOB_WAITS, RETURNED_BY_ANN, held(BOOK, BOB))
ELEVEN_COPIES = [added(book_id(number)) for number in range(MOST_COPIES_PER_READER + 1)]
TEN_LOANS = [lent(book_id(number), ANN) for number in range(MOST_COPIES_PER_READER)]
FOUR_LENT_TO_ANN = [
    event
    for number in range(MOST_RESERVATIONS_PER_READER + 1)
    for event in (added(book_id(number)), lent(book_id(number), ANN))
]
THREE_RESERVATIONS = [reserved(book_id(number), BOB) for number in range(MOST_RESERVATIONS_PER_READER)]
TEN_COURSES: list[DomainEvent] = [
    event
    for number in range(MOST_COURSES_PER_STUDENT)
    for event in (CourseDefined(some_id(number), "A course", 5, occurred_at=NOON), enrolled(EVE, some_id(number)))
]
LATIN_IS_FULL = (LATIN_DEFINED, EVE_REGISTERED, ADA_REGISTERED, enrolled(EVE, LATIN), enrolled(ADA, LATIN))

LAWFUL: dict[str, tuple[DomainEvent, ...]] = {
    "a copy is lent and comes back": (
        *TWO_READERS,
        LENT_TO_ANN,
        RETURNED_BY_ANN,
        LENT_TO_BOB,
        RETURNED_BY_BOB,
        REMOVED,
    ),
    "a copy is added again": (ADDED, REMOVED, ADDED),
    "a reader comes again": (BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED),
    "who waits gets the copy": (*BOB_IS_NEXT, LENT_TO_BOB, RETURNED_BY_BOB, LENT_TO_ANN),
    "who waits in vain makes room": (*BOB_IS_NEXT, EXPIRED_IN_TIME, LENT_TO_ANN),
    "who gives up makes room": (*BOB_IS_NEXT, gave_up(BOOK, BOB), LENT_TO_ANN),
    "the second is the next": (
        *BOB_WAITS,
        CAT_REGISTERED,
        reserved(BOOK, CAT),
        gave_up(BOOK, BOB),
        RETURNED_BY_ANN,
        held(BOOK, CAT),
    ),
    "an address changes hands": (*TWO_READERS, CLAIMED_BY_ANN, RELEASED_BY_ANN, CLAIMED_BY_BOB),
    "an address ends with the contract": (
        ANN_REGISTERED,
        CLAIMED_BY_ANN,
        ANN_CANCELED,
        RELEASED_BY_ANN,
        ANN_REGISTERED,
    ),
    "a refusal changes nothing": (*BOB_WAITS, RETURNED_BY_ANN, FAILED, held(BOOK, BOB)),
    "ten copies": (*ELEVEN_COPIES, ANN_REGISTERED, *TEN_LOANS),
    "a full course": LATIN_IS_FULL,
    "a larger course": (*LATIN_IS_FULL, capacity_changed(3), withdrawn(EVE, LATIN), enrolled(EVE, LATIN)),
    "ten courses": (EVE_REGISTERED, *TEN_COURSES),
}

UNLAWFUL: list[tuple[tuple[DomainEvent, ...], DomainEvent, str]] = [
    ((ADDED,), ADDED, "the copy is in circulation already"),
    ((), REMOVED, "the copy is not in circulation"),
    ((*TWO_READERS, LENT_TO_ANN), REMOVED, "a reader has the copy"),
    ((ADDED,), LENT_TO_ANN, "the reader is not registered"),
    ((ADDED, BOB_REGISTERED, BOB_CANCELED), LENT_TO_BOB, "the reader is not registered"),
    ((ANN_REGISTERED,), LENT_TO_ANN, "the copy is not in circulation"),
    ((*TWO_READERS, LENT_TO_ANN), LENT_TO_BOB, "a reader has the copy"),
    (BOB_IS_NEXT, LENT_TO_ANN, "the copy is held for another reader"),
    (
        (*ELEVEN_COPIES, ANN_REGISTERED, *TEN_LOANS),
        lent(book_id(MOST_COPIES_PER_READER), ANN),
        "the reader has more than 10 copies",
    ),
    (TWO_READERS, RETURNED_BY_ANN, "the reader does not have the copy"),
    ((*TWO_READERS, LENT_TO_ANN), RETURNED_BY_BOB, "the reader does not have the copy"),
    ((*BOB_WAITS, RETURNED_BY_ANN), LENT_TO_BOB, "the copy should have been held for the next reader"),
    ((*BOB_WAITS, RETURNED_BY_ANN), REMOVED, "the copy should have been held for the next reader"),
    ((*TWO_READERS, LENT_TO_ANN), reserved(BOOK, CAT), "the reader is not registered"),
    ((*BOB_IS_NEXT, REMOVED), reserved(BOOK, ANN), "the copy is not in circulation"),
    (TWO_READERS, reserved(BOOK, BOB), "the copy is free"),
    ((*TWO_READERS, LENT_TO_ANN), reserved(BOOK, ANN), "the reader has the copy"),
    (BOB_WAITS, reserved(BOOK, BOB), "the reader waits for the copy already"),
    (
        (BOB_REGISTERED, ANN_REGISTERED, *FOUR_LENT_TO_ANN, *THREE_RESERVATIONS),
        reserved(book_id(MOST_RESERVATIONS_PER_READER), BOB),
        "the reader waits for more than 3 copies",
    ),
    (TWO_READERS, gave_up(BOOK, BOB), "the reader does not wait for the copy"),
    (BOB_WAITS, held(BOOK, BOB), "a reader has the copy"),
    ((*BOB_WAITS, CAT_REGISTERED, reserved(BOOK, CAT), RETURNED_BY_ANN), held(BOOK, CAT), "another reader is the next"),
    (BOB_IS_NEXT, held(BOOK, BOB), "the copy is held already"),
    ((*BOB_IS_NEXT, reserved(BOOK, ANN)), hold_expired(BOOK, ANN), "the copy is not held for the reader"),
    (BOB_IS_NEXT, hold_expired(BOOK, BOB), "the reader still had time"),
    ((ANN_REGISTERED,), ANN_REGISTERED, "the reader is registered already"),
    (
        (ANN_REGISTERED, CLAIMED_BY_ANN, ANN_CANCELED),
        ANN_REGISTERED,
        "the address should have been released with the contract",
    ),
    ((*BOB_WAITS, RETURNED_BY_ANN), gave_up(BOOK, BOB), "the copy should have been held for the next reader"),
    (
        (*BOB_WAITS, RETURNED_BY_ANN),
        held(BOOK, BOB, NOON + timedelta(days=365)),
        "the reader has another time to collect the copy than agreed",
    ),
    ((), BOB_CANCELED, "the reader is not registered"),
    ((*TWO_READERS, LENT_TO_BOB), BOB_CANCELED, "the reader has books"),
    ((), CLAIMED_BY_ANN, "the reader is not registered"),
    ((*TWO_READERS, CLAIMED_BY_ANN), CLAIMED_BY_BOB, "the address is taken"),
    (
        (ANN_REGISTERED, CLAIMED_BY_ANN),
        ReaderEmailClaimed(ANN, "a2", occurred_at=NOON),
        "the reader has another address",
    ),
    ((ANN_REGISTERED,), RELEASED_BY_ANN, "the reader does not have the address"),
    ((LATIN_DEFINED,), LATIN_DEFINED, "the course is defined already"),
    ((), capacity_changed(3), "the course is not defined"),
    (LATIN_IS_FULL, capacity_changed(1), "more students take the course than it has seats"),
    ((EVE_REGISTERED,), EVE_REGISTERED, "the student is registered already"),
    ((EVE_REGISTERED,), enrolled(EVE, LATIN), "the course is not defined"),
    ((LATIN_DEFINED,), enrolled(EVE, LATIN), "the student is not registered"),
    (
        (LATIN_DEFINED, EVE_REGISTERED, enrolled(EVE, LATIN)),
        enrolled(EVE, LATIN),
        "the student takes the course already",
    ),
    (
        (*LATIN_IS_FULL, capacity_changed(2), StudentRegistered(some_id(9), "Max", occurred_at=NOON)),
        enrolled(some_id(9), LATIN),
        "more students take the course than it has seats",
    ),
    ((LATIN_DEFINED, EVE_REGISTERED, *TEN_COURSES), enrolled(EVE, LATIN), "the student takes more than 10 courses"),
    ((LATIN_DEFINED, EVE_REGISTERED), withdrawn(EVE, LATIN), "the student does not take the course"),
    ((*LATIN_IS_FULL, withdrawn(ADA, LATIN)), withdrawn(ADA, LATIN), "the student does not take the course"),
]


@pytest.mark.parametrize("log", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_the_rules_allow_meets_no_objection(log: tuple[DomainEvent, ...]) -> None:
    assert list(audit(stored(*log).query(EVERYTHING))) == []


@pytest.mark.parametrize(("before", "event", "objection"), UNLAWFUL, ids=[f"{e.TYPE}: {o}" for _, e, o in UNLAWFUL])
def test_what_the_rules_forbid_meets_the_objection_that_says_why(
    before: tuple[DomainEvent, ...], event: DomainEvent, objection: str
) -> None:
    found = list(audit(stored(*before, event).query(EVERYTHING)))
    assert [str(each) for each in found] == [f"event {len(before) + 1}: {event.TYPE}, but {objection}"]


@pytest.mark.parametrize(
    ("log", "missing"),
    [
        ((*BOB_WAITS, RETURNED_BY_ANN), f"the copy should have been held for the next reader: {BOOK}"),
        (
            (*BOB_IS_NEXT, reserved(BOOK, ANN), gave_up(BOOK, BOB)),
            f"the copy should have been held for the next reader: {BOOK}",
        ),
        (
            (ANN_REGISTERED, CLAIMED_BY_ANN, ANN_CANCELED),
            f"the address should have been released with the contract: {ANN}",
        ),
    ],
)
def test_what_is_missing_at_the_end_of_the_log_is_objected_to(log: tuple[DomainEvent, ...], missing: str) -> None:
    found = [str(each) for each in audit(stored(*log).query(EVERYTHING))]
    assert found == [f"event {len(log)}: the log ends, but {missing}"]


def test_every_event_is_looked_at_by_an_auditor_but_the_failures() -> None:
    assert {event_type for event_type in EVENT_CLASSES if not event_type.endswith("Failed")} == AUDITED
