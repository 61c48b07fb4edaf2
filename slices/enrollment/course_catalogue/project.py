"""From events to the list of courses. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, assert_never

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentWithdrawnFromCourse,
)

Relevant: TypeAlias = CourseDefined | CourseCapacityChanged | StudentEnrolledToCourse | StudentWithdrawnFromCourse


@dataclass(frozen=True, slots=True)
class CourseInCatalogue:
    """A course that one may take."""

    course_id: str
    title: str
    capacity: int
    defined_at: datetime
    seats_taken: int = 0

    @property
    def seats_left(self) -> int:
        """Never below zero."""
        return max(0, self.capacity - self.seats_taken)


def project(history: Iterable[Relevant]) -> tuple[CourseInCatalogue, ...]:
    """Courses by the time they were defined; ties in the order of the log."""
    courses: dict[str, CourseInCatalogue] = {}
    for event in history:
        course = courses.get(event.course_id)
        match event:
            case CourseDefined(course_id=course_id, title=title, capacity=capacity, occurred_at=defined_at):
                courses[course_id] = CourseInCatalogue(course_id, title, capacity, defined_at)
            case _ if course is None:
                continue
            case CourseCapacityChanged(capacity=capacity):
                courses[event.course_id] = replace(course, capacity=capacity)
            case StudentEnrolledToCourse():
                courses[event.course_id] = replace(course, seats_taken=course.seats_taken + 1)
            case StudentWithdrawnFromCourse():
                courses[event.course_id] = replace(course, seats_taken=course.seats_taken - 1)
            case _:
                assert_never(event)
    return tuple(sorted(courses.values(), key=lambda course: course.defined_at))
