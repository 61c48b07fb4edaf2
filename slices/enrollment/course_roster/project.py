"""From events to the roster of one course. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)
from slices.questions import Projection

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


@dataclass(slots=True)
class State:
    """The course, if it was defined, and the seats by student, in the order of the log."""

    roster: Roster | None = None
    seats: dict[str, Seat] = field(default_factory=dict[str, Seat])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case CourseDefined(course_id=course_id, title=title, capacity=capacity):
            state.roster = Roster(course_id, title, capacity)
        case CourseCapacityChanged(capacity=capacity):
            state.roster = state.roster and replace(state.roster, capacity=capacity)
        case StudentEnrolledToCourse(student_id=student_id, occurred_at=since):
            state.seats[student_id] = Seat(student_id, since)
        case StudentWithdrawnFromCourse(student_id=student_id):
            state.seats.pop(student_id, None)
        case _:
            assert_never(event)
    return state


def view(state: State) -> Roster | None:
    """The roster by the time of enrolling; ties in the order of the log. None if the course was never defined."""
    seats = sorted(state.seats.values(), key=lambda seat: seat.since)
    return state.roster and replace(state.roster, seats=tuple(seats))


project: Final = Projection("course_roster", version=1, start=State, evolve=evolve, view=view)


def with_names(seats: Iterable[Seat], history: Iterable[RelevantToNames]) -> tuple[Seat, ...]:
    """The seats with the names of those who sit there."""
    names = {event.student_id: event.name for event in history}
    return tuple(replace(seat, name=names.get(seat.student_id, "")) for seat in seats)
