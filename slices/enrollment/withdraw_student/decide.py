"""The rules of withdrawing: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.enrollment.events import StudentEnrolledToCourse, StudentWithdrawnFromCourse
from slices.enrollment.rejections import StudentNotEnrolled
from slices.enrollment.withdraw_student.command import WithdrawStudent

Relevant: TypeAlias = StudentEnrolledToCourse | StudentWithdrawnFromCourse
Happens: TypeAlias = StudentWithdrawnFromCourse
Refusal: TypeAlias = StudentNotEnrolled


def boundary(command: WithdrawStudent) -> Filter:
    """How this student came into this course and left it: both ids, so that nobody else's seat is in the way."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_all_predicates_of(P("StudentID", command.student_id), P("CourseID", command.course_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this student in this course."""

    had_a_seat: bool = False
    has_a_seat: bool = False

    @classmethod
    def of(cls, _command: WithdrawStudent) -> "State":
        """Before anything happened."""
        return cls()


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case StudentEnrolledToCourse():
            return State(had_a_seat=True, has_a_seat=True)
        case StudentWithdrawnFromCourse():
            return replace(state, has_a_seat=False)
        case _:
            assert_never(event)


def decide(state: State, command: WithdrawStudent) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if not state.had_a_seat:
        return Reject(StudentNotEnrolled(command.student_id, command.course_id))
    if not state.has_a_seat:
        return Nothing()
    return Append(StudentWithdrawnFromCourse(command.student_id, command.course_id, occurred_at=command.occurred_at))
