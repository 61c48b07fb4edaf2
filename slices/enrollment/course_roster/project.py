"""From events to the roster of one course. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, assert_never

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)

Relevant: TypeAlias = CourseDefined | CourseCapacityChanged | StudentEnrolledToCourse | StudentWithdrawnFromCourse
RelevantToNames: TypeAlias = StudentRegistered


@dataclass(frozen=True, slots=True)
class Seat:
    """A student in the course."""

    student_id: str
    since: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """A course, and who takes it."""

    course_id: str
    title: str
    capacity: int
    seats: tuple[Seat, ...] = ()

    @property
    def seats_left(self) -> int:
        """Never below zero."""
        return max(0, self.capacity - len(self.seats))


def project(history: Iterable[Relevant]) -> Roster | None:
    """The roster by the time of enrolling; ties in the order of the log. None if the course was never defined."""
    seats: dict[str, Seat] = {}
    roster: Roster | None = None
    for event in history:
        match event:
            case CourseDefined(course_id=course_id, title=title, capacity=capacity):
                roster = Roster(course_id, title, capacity)
            case CourseCapacityChanged(capacity=capacity):
                roster = roster and replace(roster, capacity=capacity)
            case StudentEnrolledToCourse(student_id=student_id, occurred_at=since):
                seats[student_id] = Seat(student_id, since)
            case StudentWithdrawnFromCourse(student_id=student_id):
                seats.pop(student_id, None)
            case _:
                assert_never(event)
    return roster and replace(roster, seats=tuple(sorted(seats.values(), key=lambda seat: seat.since)))


def with_names(seats: Iterable[Seat], history: Iterable[RelevantToNames]) -> tuple[Seat, ...]:
    """The seats with the names of those who sit there."""
    names = {event.student_id: event.name for event in history}
    return tuple(replace(seat, name=names.get(seat.student_id, "")) for seat in seats)
