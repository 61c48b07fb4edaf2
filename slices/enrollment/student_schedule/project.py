"""From events to the schedule of one student. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.enrollment.events import (
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)
from slices.questions import Projection

Relevant: TypeAlias = StudentRegistered | StudentEnrolledToCourse | StudentWithdrawnFromCourse
RelevantToTitles: TypeAlias = CourseDefined


@dataclass(frozen=True, slots=True)
class TakenCourse:
    """A course in which the student has a seat."""

    course_id: str
    since: datetime
    title: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A student, and what the student takes."""

    student_id: str
    name: str
    courses: tuple[TakenCourse, ...] = ()


@dataclass(slots=True)
class State:
    """The student, if anybody ever registered, and the courses by id, in the order of the log."""

    schedule: Schedule | None = None
    courses: dict[str, TakenCourse] = field(default_factory=dict[str, TakenCourse])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case StudentRegistered(student_id=student_id, name=name):
            state.schedule = Schedule(student_id, name)
        case StudentEnrolledToCourse(course_id=course_id, occurred_at=since):
            state.courses[course_id] = TakenCourse(course_id, since)
        case StudentWithdrawnFromCourse(course_id=course_id):
            state.courses.pop(course_id, None)
        case _:
            assert_never(event)
    return state


def view(state: State) -> Schedule | None:
    """The schedule by the time of enrolling; ties in the order of the log. None if nobody ever registered."""
    courses = sorted(state.courses.values(), key=lambda course: course.since)
    return state.schedule and replace(state.schedule, courses=tuple(courses))


project: Final = Projection("student_schedule", version=1, start=State, evolve=evolve, view=view)


def with_titles(courses: Iterable[TakenCourse], history: Iterable[RelevantToTitles]) -> tuple[TakenCourse, ...]:
    """The courses with the titles under which they were defined."""
    titles = {event.course_id: event.title for event in history}
    return tuple(replace(course, title=titles.get(course.course_id, "")) for course in courses)
