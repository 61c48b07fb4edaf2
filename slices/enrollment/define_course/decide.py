"""The rules of defining a course: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias

from msgspec import Struct

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.events import CourseDefined
from slices.enrollment.rejections import CourseAlreadyDefined

Relevant: TypeAlias = CourseDefined
Happens: TypeAlias = CourseDefined
Refusal: TypeAlias = CourseAlreadyDefined


def boundary(command: DefineCourse) -> Filter:
    """Whether this course was defined. Later changes of its capacity do not matter."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("CourseID", command.course_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this course: how it was defined, if it was."""

    title: str | None = None
    capacity: int | None = None

    @classmethod
    def of(cls, _command: DefineCourse) -> "State":
        """Before anything happened."""
        return cls()


def evolve(_state: State, event: Relevant) -> State:
    """What is known after one more event."""
    return State(event.title, event.capacity)


def decide(state: State, command: DefineCourse) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if state == State(command.title, command.capacity):
        return Nothing()
    if state != State():
        return Reject(CourseAlreadyDefined(command.course_id))
    return Append(CourseDefined(command.course_id, command.title, command.capacity, occurred_at=command.occurred_at))
