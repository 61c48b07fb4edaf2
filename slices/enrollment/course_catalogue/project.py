"""From events to the list of courses. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentWithdrawnFromCourse,
)
from slices.questions import Projection

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


@dataclass(slots=True)
class State:
    """The courses by id, in the order of the log."""

    courses: dict[str, CourseInCatalogue] = field(default_factory=dict[str, CourseInCatalogue])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    course = state.courses.get(event.course_id)
    match event:
        case CourseDefined(course_id=course_id, title=title, capacity=capacity, occurred_at=defined_at):
            state.courses[course_id] = CourseInCatalogue(course_id, title, capacity, defined_at)
        case _ if course is None:
            pass
        case CourseCapacityChanged(capacity=capacity):
            state.courses[event.course_id] = replace(course, capacity=capacity)
        case StudentEnrolledToCourse():
            state.courses[event.course_id] = replace(course, seats_taken=course.seats_taken + 1)
        case StudentWithdrawnFromCourse():
            state.courses[event.course_id] = replace(course, seats_taken=course.seats_taken - 1)
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[CourseInCatalogue, ...]:
    """Courses by the time they were defined; ties in the order of the log."""
    return tuple(sorted(state.courses.values(), key=lambda course: course.defined_at))


project: Final = Projection("course_catalogue", version=1, start=State, evolve=evolve, view=view)
