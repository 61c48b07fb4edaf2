"""Defining a course: the right event, the refusal, and the nothing."""

from typing import cast

import pytest

from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.define_course.decide import Relevant, State, boundary, decide, evolve
from slices.enrollment.rejections import CourseAlreadyDefined
from slices.testing import Rules
from tests.slices.enrollment.world import LATIN, LATIN_DEFINED, NOON, capacity_changed

given = Rules(boundary, State.of, evolve, decide).given

DEFINE_LATIN = DefineCourse(LATIN, "Latin", 2, NOON)


def test_a_new_course_is_defined() -> None:
    given().when(DEFINE_LATIN).then(LATIN_DEFINED)


@pytest.mark.parametrize(("title", "capacity"), [("Greek", 2), ("Latin", 3)])
def test_a_course_that_is_defined_otherwise_is_refused_without_a_record(title: str, capacity: int) -> None:
    command = DefineCourse(LATIN, title, capacity, NOON)
    given(LATIN_DEFINED).when(command).then_rejected(CourseAlreadyDefined(LATIN)).unrecorded()


def test_defining_a_course_the_same_way_does_nothing() -> None:
    given(LATIN_DEFINED).when(DEFINE_LATIN).then_nothing()


def test_later_changes_of_the_capacity_do_not_matter_and_lie_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(LATIN_DEFINED, cast("Relevant", capacity_changed(7))).when(DEFINE_LATIN)
