"""Withdrawing: the right event, the refusal, and the nothing."""

from typing import cast

import pytest

from slices.enrollment.rejections import StudentNotEnrolled
from slices.enrollment.withdraw_student.command import WithdrawStudent
from slices.enrollment.withdraw_student.decide import Relevant, State, boundary, decide, evolve
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

WITHDRAW_EVE = WithdrawStudent(EVE, LATIN, NOON)
EVE_ENROLLED = enrolled(EVE, LATIN)
EVE_WITHDRAWN = withdrawn(EVE, LATIN)


def test_a_student_gives_the_seat_back() -> None:
    given(EVE_ENROLLED).when(WITHDRAW_EVE).then(EVE_WITHDRAWN)


def test_a_student_who_came_back_may_withdraw_again() -> None:
    given(EVE_ENROLLED, EVE_WITHDRAWN, EVE_ENROLLED).when(WITHDRAW_EVE).then(EVE_WITHDRAWN)


def test_a_student_who_never_took_the_course_is_refused_without_a_record() -> None:
    given().when(WITHDRAW_EVE).then_rejected(StudentNotEnrolled(EVE, LATIN)).unrecorded()


def test_withdrawing_twice_does_nothing() -> None:
    given(EVE_ENROLLED, EVE_WITHDRAWN).when(WITHDRAW_EVE).then_nothing()


def test_other_courses_of_the_student_and_other_students_of_the_course_lie_outside_the_boundary() -> None:
    for stranger in (
        enrolled(EVE, some_id(1)),
        enrolled(ADA, LATIN),
        withdrawn(EVE, some_id(1)),
        withdrawn(ADA, LATIN),
    ):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(EVE_ENROLLED, stranger).when(WITHDRAW_EVE)


def test_the_course_and_the_student_themselves_do_not_matter_and_lie_outside_the_boundary() -> None:
    for stranger in (LATIN_DEFINED, capacity_changed(3), EVE_REGISTERED):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(EVE_ENROLLED, cast("Relevant", stranger)).when(WITHDRAW_EVE)
