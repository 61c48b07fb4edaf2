"""Changing the number of seats: the right event, the refusals in their order, and the nothing."""

from typing import cast

import pytest

from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.change_course_capacity.decide import Relevant, State, boundary, decide, evolve
from slices.enrollment.events import CourseDefined
from slices.enrollment.rejections import CapacityBelowEnrollment, CourseNotDefined
from slices.testing import Rules
from tests.slices.enrollment.world import (
    ADA,
    EVE,
    EVE_REGISTERED,
    LATIN,
    LATIN_DEFINED,
    NOON,
    capacity_changed,
    enrolled,
    some_id,
    withdrawn,
)

given = Rules(boundary, State.of, evolve, decide).given

ONE_SEAT = ChangeCourseCapacity(LATIN, 1, NOON)
TWO_SEATS = ChangeCourseCapacity(LATIN, 2, NOON)
THREE_SEATS = ChangeCourseCapacity(LATIN, 3, NOON)
BOTH_SEATS_TAKEN: list[Relevant] = [enrolled(EVE, LATIN), enrolled(ADA, LATIN)]


def test_a_course_gets_more_seats() -> None:
    given(LATIN_DEFINED).when(THREE_SEATS).then(capacity_changed(3))
    given(LATIN_DEFINED, *BOTH_SEATS_TAKEN).when(THREE_SEATS).then(capacity_changed(3))


def test_a_course_gets_fewer_seats_down_to_the_number_of_its_students() -> None:
    given(LATIN_DEFINED).when(ONE_SEAT).then(capacity_changed(1))
    given(LATIN_DEFINED, enrolled(EVE, LATIN)).when(ONE_SEAT).then(capacity_changed(1))
    given(LATIN_DEFINED, capacity_changed(3), *BOTH_SEATS_TAKEN).when(TWO_SEATS).then(capacity_changed(2))


def test_a_seat_that_was_given_up_may_go() -> None:
    given(LATIN_DEFINED, *BOTH_SEATS_TAKEN, withdrawn(ADA, LATIN)).when(ONE_SEAT).then(capacity_changed(1))


def test_a_course_that_was_never_defined_is_refused_without_a_record() -> None:
    given().when(THREE_SEATS).then_rejected(CourseNotDefined(LATIN)).unrecorded()


def test_fewer_seats_than_students_are_refused_without_a_record_and_the_reason_says_how_many_there_are() -> None:
    rejected = given(LATIN_DEFINED, *BOTH_SEATS_TAKEN).when(ONE_SEAT)
    rejected.then_rejected(CapacityBelowEnrollment(LATIN, enrolled=2)).unrecorded()


def test_a_student_who_came_back_counts_once() -> None:
    came_back = (enrolled(EVE, LATIN), withdrawn(EVE, LATIN), enrolled(EVE, LATIN))
    given(LATIN_DEFINED, *came_back).when(ONE_SEAT).then(capacity_changed(1))


def test_the_number_of_seats_that_the_course_has_does_nothing() -> None:
    given(LATIN_DEFINED).when(TWO_SEATS).then_nothing()
    given(LATIN_DEFINED, capacity_changed(3)).when(THREE_SEATS).then_nothing()


def test_the_latest_number_counts() -> None:
    given(LATIN_DEFINED, capacity_changed(3)).when(TWO_SEATS).then(capacity_changed(2))


def test_rules_are_checked_in_order() -> None:
    given(*BOTH_SEATS_TAKEN).when(ONE_SEAT).then_rejected(CourseNotDefined)
    given(LATIN_DEFINED, *BOTH_SEATS_TAKEN, capacity_changed(1)).when(ONE_SEAT).then_nothing()


def test_other_courses_lie_outside_the_boundary() -> None:
    greek = some_id(1)
    for stranger in (CourseDefined(greek, "Greek", 2, occurred_at=NOON), enrolled(EVE, greek)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(THREE_SEATS)


def test_who_the_students_are_does_not_matter_and_lies_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(LATIN_DEFINED, cast("Relevant", EVE_REGISTERED)).when(THREE_SEATS)
