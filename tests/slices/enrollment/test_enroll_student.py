"""Enrolling: the right event, the refusals in their order, and the nothing."""

import pytest

from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.enroll_student.decide import Relevant, State, boundary, decide, evolve
from slices.enrollment.events import CourseDefined, EnrollingStudentFailed
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.enrollment.rejections import CourseFull, CourseNotDefined, StudentAtCourseLimit, StudentNotRegistered
from slices.testing import Rules
from tests.slices.enrollment.world import (
    ADA,
    ADA_REGISTERED,
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

ENROLL_EVE = EnrollStudent(EVE, LATIN, NOON)
EVE_ENROLLED = enrolled(EVE, LATIN)
BOTH_SEATS_TAKEN = [enrolled(some_id(number), LATIN) for number in range(2)]
TEN_COURSES_OF_EVE = [enrolled(EVE, some_id(number)) for number in range(MOST_COURSES_PER_STUDENT)]


def failed(reason: str) -> EnrollingStudentFailed:
    return EnrollingStudentFailed(EVE, LATIN, reason, occurred_at=NOON)


def test_a_student_gets_a_free_seat() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_the_last_seat_can_be_taken() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED, BOTH_SEATS_TAKEN[0]).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_a_seat_that_was_given_up_can_be_taken() -> None:
    history: tuple[Relevant, ...] = (LATIN_DEFINED, EVE_REGISTERED, *BOTH_SEATS_TAKEN, withdrawn(some_id(1), LATIN))
    given(*history).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_a_student_who_withdrew_may_come_back() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED, EVE_ENROLLED, withdrawn(EVE, LATIN)).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_a_larger_capacity_makes_room() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED, *BOTH_SEATS_TAKEN, capacity_changed(3)).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_a_course_that_was_never_defined_is_refused() -> None:
    rejected = given(EVE_REGISTERED).when(ENROLL_EVE).then_rejected(CourseNotDefined(LATIN))
    rejected.recorded_as(failed("CourseNotDefined"))


def test_a_student_who_never_registered_is_refused() -> None:
    rejected = given(LATIN_DEFINED).when(ENROLL_EVE).then_rejected(StudentNotRegistered(EVE))
    rejected.recorded_as(failed("StudentNotRegistered"))


def test_a_full_course_is_refused() -> None:
    rejected = given(LATIN_DEFINED, EVE_REGISTERED, *BOTH_SEATS_TAKEN).when(ENROLL_EVE).then_rejected(CourseFull(LATIN))
    rejected.recorded_as(failed("CourseFull"))


def test_a_smaller_capacity_makes_a_course_full() -> None:
    history: tuple[Relevant, ...] = (LATIN_DEFINED, EVE_REGISTERED, BOTH_SEATS_TAKEN[0], capacity_changed(1))
    given(*history).when(ENROLL_EVE).then_rejected(CourseFull)


def test_an_eleventh_course_is_refused() -> None:
    history: tuple[Relevant, ...] = (LATIN_DEFINED, EVE_REGISTERED, *TEN_COURSES_OF_EVE)
    rejected = given(*history).when(ENROLL_EVE).then_rejected(StudentAtCourseLimit(EVE))
    rejected.recorded_as(failed("StudentAtCourseLimit"))


def test_a_tenth_course_is_granted() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED, *TEN_COURSES_OF_EVE[1:]).when(ENROLL_EVE).then(EVE_ENROLLED)
    one_less = withdrawn(EVE, some_id(3))
    given(LATIN_DEFINED, EVE_REGISTERED, *TEN_COURSES_OF_EVE, one_less).when(ENROLL_EVE).then(EVE_ENROLLED)


def test_enrolling_in_what_the_student_takes_does_nothing() -> None:
    given(LATIN_DEFINED, EVE_REGISTERED, EVE_ENROLLED).when(ENROLL_EVE).then_nothing()


def test_rules_are_checked_in_order() -> None:
    given().when(ENROLL_EVE).then_rejected(CourseNotDefined)
    given(*BOTH_SEATS_TAKEN, *TEN_COURSES_OF_EVE).when(ENROLL_EVE).then_rejected(CourseNotDefined)
    given(LATIN_DEFINED, *BOTH_SEATS_TAKEN, *TEN_COURSES_OF_EVE).when(ENROLL_EVE).then_rejected(StudentNotRegistered)
    given(LATIN_DEFINED, EVE_REGISTERED, BOTH_SEATS_TAKEN[0], EVE_ENROLLED).when(ENROLL_EVE).then_nothing()
    full_and_busy: tuple[Relevant, ...] = (LATIN_DEFINED, EVE_REGISTERED, *BOTH_SEATS_TAKEN, *TEN_COURSES_OF_EVE)
    given(*full_and_busy).when(ENROLL_EVE).then_rejected(CourseFull)


def test_other_courses_and_other_students_lie_outside_the_boundary() -> None:
    other_course = CourseDefined(some_id(1), "Greek", 2, occurred_at=NOON)
    for stranger in (other_course, ADA_REGISTERED, enrolled(ADA, some_id(1))):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(ENROLL_EVE)
