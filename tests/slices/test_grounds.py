"""The events that a refusal follows from: for every reason of both contexts, and for histories that could mislead."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from eventstore import InMemoryEventStore
from slices.codec import decode
from slices.decision import Reject
from slices.domain_event import DomainEvent
from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.events import CourseDefined
from slices.enrollment.withdraw_student.command import WithdrawStudent
from slices.explaining import explain
from slices.grounds import MOST_EXAMINED, NO_GROUNDS, Grounds, grounds_of
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.events import ReaderContractCanceled
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.reserve_book.command import ReserveBook
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
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
    HASH,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    book_id,
    claimed,
    held,
    lent,
    released,
    reserved,
    returned,
)
from tests.slices.races import Race
from tests.slices.test_races import NAMED
from tests.slices.test_rejections import NAMES

LEND_TO_BOB = LendBookToReader(BOOK, BOB, NOON)
RESERVE_FOR_BOB = ReserveBook(BOOK, BOB, NOON)
BOTH = (ADDED, ANN_REGISTERED, BOB_REGISTERED)
LATER = NOON + timedelta(days=1)
TEN_LOANS = tuple(lent(book_id(number), BOB) for number in range(10))
TEN_COURSES = tuple(enrolled(EVE, some_id(number)) for number in range(10))


@dataclass(frozen=True)
class Refused:
    """A refusal: what happened, what was asked for, and which of what happened says no, newest first."""

    history: tuple[DomainEvent, ...]
    command: Any
    says_so: tuple[DomainEvent, ...] = ()


EVERY_REASON = {
    "ReaderNotRegistered": Refused((*BOTH, BOB_CANCELED), LEND_TO_BOB, (BOB_CANCELED,)),
    "ReaderNeverRegistered": Refused((ADDED, LENT_TO_ANN), ReturnBookFromReader(BOOK, BOB, NOON)),
    "ReaderAtQuota": Refused((*BOTH, *TEN_LOANS), LEND_TO_BOB, TEN_LOANS[::-1]),
    "BookNotInCirculation": Refused((*BOTH, REMOVED), LEND_TO_BOB, (REMOVED,)),
    "BookNeverAdded": Refused((BOB_REGISTERED,), ReturnBookFromReader(BOOK, BOB, NOON)),
    "BookAlreadyLent": Refused((*BOTH, LENT_TO_ANN), LEND_TO_BOB, (LENT_TO_ANN,)),
    "BookNotLentToReader": Refused((*BOTH, LENT_TO_ANN), ReturnBookFromReader(BOOK, BOB, NOON)),
    "BookCurrentlyLent": Refused(
        (ADDED, REMOVED, ADDED, ANN_REGISTERED, LENT_TO_ANN), RemoveBookCopyFromCirculation(BOOK, NOON), (LENT_TO_ANN,)
    ),
    "ReaderHasOutstandingLoans": Refused(
        (ANN_REGISTERED, LENT_TO_ANN, lent(OTHER_BOOK, ANN)),
        CancelReaderContract(ANN, NOON),
        (lent(OTHER_BOOK, ANN), LENT_TO_ANN),
    ),
    "EmailAlreadyClaimed": Refused(
        (ANN_REGISTERED, BOB_REGISTERED, claimed(ANN)), ClaimReaderEmail(BOB, HASH, NOON), (claimed(ANN),)
    ),
    "BookIsAvailable": Refused((BOB_REGISTERED, ADDED), RESERVE_FOR_BOB, (ADDED,)),
    "BookLentToThisReader": Refused((*BOTH, LENT_TO_BOB), RESERVE_FOR_BOB, (LENT_TO_BOB,)),
    "TooManyReservations": Refused(
        (*BOTH, LENT_TO_ANN, *(reserved(book_id(number), BOB) for number in range(3))),
        RESERVE_FOR_BOB,
        tuple(reserved(book_id(number), BOB) for number in (2, 1, 0)),
    ),
    "BookHeldForAnother": Refused((*BOTH, reserved(BOOK, ANN), held(BOOK, ANN)), LEND_TO_BOB, (held(BOOK, ANN),)),
    "CourseAlreadyDefined": Refused((LATIN_DEFINED,), DefineCourse(LATIN, "Greek", 2, NOON), (LATIN_DEFINED,)),
    "CourseNotDefined": Refused((EVE_REGISTERED,), EnrollStudent(EVE, LATIN, NOON)),
    "CourseFull": Refused(
        (LATIN_DEFINED, EVE_REGISTERED, enrolled(ADA, LATIN), enrolled(some_id(1), LATIN)),
        EnrollStudent(EVE, LATIN, NOON),
        (enrolled(some_id(1), LATIN), enrolled(ADA, LATIN)),
    ),
    "StudentNotRegistered": Refused((LATIN_DEFINED, ADA_REGISTERED), EnrollStudent(EVE, LATIN, NOON)),
    "StudentAtCourseLimit": Refused(
        (LATIN_DEFINED, EVE_REGISTERED, *TEN_COURSES), EnrollStudent(EVE, LATIN, NOON), TEN_COURSES[::-1]
    ),
    "CapacityBelowEnrollment": Refused(
        (LATIN_DEFINED, capacity_changed(4), *(enrolled(some_id(number), LATIN) for number in range(3))),
        ChangeCourseCapacity(LATIN, 1, NOON),
        tuple(enrolled(some_id(number), LATIN) for number in (2, 1, 0)),
    ),
    "StudentNotEnrolled": Refused((LATIN_DEFINED, EVE_REGISTERED), WithdrawStudent(EVE, LATIN, NOON)),
}

MISLEADING = {
    "a loan that is over": Refused(
        (*BOTH, lent(OTHER_BOOK, BOB), TEN_LOANS[0], returned(OTHER_BOOK, BOB), *TEN_LOANS[1:]),
        LEND_TO_BOB,
        TEN_LOANS[::-1],
    ),
    "the same copy, lent again": Refused(
        (*BOTH, LENT_TO_ANN, RETURNED_BY_ANN, lent(BOOK, ANN, LATER)), LEND_TO_BOB, (lent(BOOK, ANN, LATER),)
    ),
    "a reader who registered again": Refused(
        (ADDED, BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED, ReaderContractCanceled(BOB, occurred_at=LATER)),
        LEND_TO_BOB,
        (ReaderContractCanceled(BOB, occurred_at=LATER),),
    ),
    "a loan between two others": Refused(
        (*BOTH, LENT_TO_BOB, RETURNED_BY_BOB, LENT_TO_ANN), LEND_TO_BOB, (LENT_TO_ANN,)
    ),
    "a copy that came back": Refused((*BOTH, LENT_TO_ANN, RETURNED_BY_ANN), RESERVE_FOR_BOB, (RETURNED_BY_ANN,)),
    "a seat that was given back": Refused(
        (
            LATIN_DEFINED,
            EVE_REGISTERED,
            enrolled(ADA, LATIN),
            enrolled(some_id(1), LATIN),
            withdrawn(ADA, LATIN),
            enrolled(some_id(2), LATIN),
        ),
        EnrollStudent(EVE, LATIN, NOON),
        (enrolled(some_id(2), LATIN), enrolled(some_id(1), LATIN)),
    ),
    "a course that became smaller": Refused(
        (LATIN_DEFINED, EVE_REGISTERED, enrolled(ADA, LATIN), capacity_changed(1)),
        EnrollStudent(EVE, LATIN, NOON),
        (capacity_changed(1), enrolled(ADA, LATIN)),
    ),
    "an address that changed hands": Refused(
        (ANN_REGISTERED, BOB_REGISTERED, claimed(ANN), released(ANN), claimed(CAT)),
        ClaimReaderEmail(BOB, HASH, NOON),
        (claimed(CAT),),
    ),
    "a copy that nobody knows": Refused((BOB_REGISTERED,), LEND_TO_BOB),
    "a reader whom nobody knows": Refused((ADDED,), LEND_TO_BOB),
}


def grounds(history: Iterable[DomainEvent], command: Any) -> Grounds:
    return grounds_of(command, explain(stored(*history), command))


def reason_of(refused: Refused) -> str:
    decision = explain(stored(*refused.history), refused.command).decision
    assert isinstance(decision, Reject)
    return decision.reason.name


def test_there_is_an_example_of_every_reason() -> None:
    assert set(EVERY_REASON) == set().union(*NAMES.values())
    assert [reason_of(refused) for refused in EVERY_REASON.values()] == list(EVERY_REASON)


@pytest.mark.parametrize("refused", [pytest.param(each, id=name) for name, each in (EVERY_REASON | MISLEADING).items()])
def test_what_a_refusal_follows_from(refused: Refused) -> None:
    assert reason_of(refused)
    assert tuple(decode(event) for event in grounds(refused.history, refused.command).events) == refused.says_so


@NAMED
def test_only_refusals_have_grounds_and_grounds_lie_in_the_boundary(race: Race) -> None:
    for command in (race.quicker, race.slower):
        explained = explain(stored(*race.given), command)
        found = grounds_of(command, explained).events
        assert set(found) <= set(explained.events)
        assert isinstance(explained.decision, Reject) or not found


def test_nothing_to_do_has_no_grounds() -> None:
    assert grounds((*BOTH, LENT_TO_BOB), LEND_TO_BOB) == NO_GROUNDS


def test_of_a_long_history_the_newest_events_are_examined() -> None:
    seats = MOST_EXAMINED + 50
    course = CourseDefined(LATIN, "Latin", seats, occurred_at=NOON)
    history = (EVE_REGISTERED, course, *(enrolled(some_id(number), LATIN) for number in range(seats)))
    found = grounds(history, EnrollStudent(EVE, LATIN, NOON))
    assert [event.sequence_number for event in found.events] == list(range(seats + 2, seats + 2 - MOST_EXAMINED, -1))
    assert not found.examined_all
    assert grounds(history[: MOST_EXAMINED + 1], EnrollStudent(EVE, LATIN, NOON)) == NO_GROUNDS


def test_what_came_after_the_decision_is_no_ground_of_it() -> None:
    store: InMemoryEventStore = stored(*BOTH, LENT_TO_ANN, RETURNED_BY_ANN, lent(BOOK, CAT))
    [ground] = grounds_of(LEND_TO_BOB, explain(store, LEND_TO_BOB, as_of=4)).events
    assert ground.sequence_number == 4
