"""Registering a student: the right event, and the nothing. It is never refused."""

import pytest

from slices.enrollment.register_student.command import RegisterStudent
from slices.enrollment.register_student.decide import State, boundary, decide, evolve
from slices.testing import Rules
from tests.slices.enrollment.world import ADA_REGISTERED, EVE, EVE_REGISTERED, NOON

given = Rules(boundary, State.of, evolve, decide).given

REGISTER_EVE = RegisterStudent(EVE, "Eve", NOON)


def test_a_new_student_is_registered() -> None:
    given().when(REGISTER_EVE).then(EVE_REGISTERED)


def test_registering_a_registered_student_does_nothing() -> None:
    given(EVE_REGISTERED).when(REGISTER_EVE).then_nothing()


def test_other_students_lie_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(ADA_REGISTERED).when(REGISTER_EVE)
