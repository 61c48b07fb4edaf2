"""The rules of changing a capacity: which events matter, what they tell, what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentWithdrawnFromCourse,
)
from slices.enrollment.rejections import CapacityBelowEnrollment, CourseNotDefined

Relevant: TypeAlias = CourseDefined | CourseCapacityChanged | StudentEnrolledToCourse | StudentWithdrawnFromCourse
Happens: TypeAlias = CourseCapacityChanged
Refusal: TypeAlias = CourseNotDefined | CapacityBelowEnrollment


def boundary(command: ChangeCourseCapacity) -> Filter:
    """The seats of this course: who enrolls now may be one too many for the new number."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("CourseID", command.course_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this course. Without a course there is no capacity."""

    capacity: int | None = None
    seats_taken: int = 0

    @classmethod
    def of(cls, _command: ChangeCourseCapacity) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case CourseDefined(capacity=capacity) | CourseCapacityChanged(capacity=capacity):
            return replace(state, capacity=capacity)
        case StudentEnrolledToCourse():
            return replace(state, seats_taken=state.seats_taken + 1)
        case StudentWithdrawnFromCourse():
            return replace(state, seats_taken=state.seats_taken - 1)
        case _:
            assert_never(event)


def decide(state: State, command: ChangeCourseCapacity) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if state.capacity is None:
        return Reject(CourseNotDefined(command.course_id))
    if state.capacity == command.capacity:
        return Nothing()
    if command.capacity < state.seats_taken:
        return Reject(CapacityBelowEnrollment(command.course_id, state.seats_taken))
    return Append(CourseCapacityChanged(command.course_id, command.capacity, occurred_at=command.occurred_at))
