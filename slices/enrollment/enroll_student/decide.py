"""The rules of enrolling: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import TypeAlias, assert_never

from msgspec import Struct
from msgspec.structs import replace

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing, Reject
from slices.domain_event import stored_types
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    EnrollingStudentFailed,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.enrollment.rejections import CourseFull, CourseNotDefined, StudentAtCourseLimit, StudentNotRegistered

RelevantToCourse: TypeAlias = (
    CourseDefined | CourseCapacityChanged | StudentEnrolledToCourse | StudentWithdrawnFromCourse
)
RelevantToStudent: TypeAlias = StudentRegistered | StudentEnrolledToCourse | StudentWithdrawnFromCourse
Relevant: TypeAlias = RelevantToCourse | RelevantToStudent
Happens: TypeAlias = StudentEnrolledToCourse
Refusal: TypeAlias = CourseNotDefined | StudentNotRegistered | CourseFull | StudentAtCourseLimit


def boundary(command: EnrollStudent) -> Filter:
    """The seats of this course, or the courses of this student: two items, so that nothing irrelevant is read."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToCourse))
        .and_any_predicate_of(P("CourseID", command.course_id))
        .or_matching()
        .any_event_type_of(*stored_types(RelevantToStudent))
        .and_any_predicate_of(P("StudentID", command.student_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this course and this student. Without a course there is no capacity."""

    course_id: str
    student_id: str
    capacity: int | None = None
    seats_taken: int = 0
    student_is_registered: bool = False
    student_is_enrolled: bool = False
    courses_of_student: int = 0

    @classmethod
    def of(cls, command: EnrollStudent) -> "State":
        """Before anything happened."""
        return cls(command.course_id, command.student_id)


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case CourseDefined(capacity=capacity) | CourseCapacityChanged(capacity=capacity):
            return replace(state, capacity=capacity)
        case StudentRegistered():
            return replace(state, student_is_registered=True)
        case StudentEnrolledToCourse():
            return _seat(state, event, taken=True)
        case StudentWithdrawnFromCourse():
            return _seat(state, event, taken=False)
        case _:
            assert_never(event)


def _seat(state: State, event: StudentEnrolledToCourse | StudentWithdrawnFromCourse, *, taken: bool) -> State:
    of_course = event.course_id == state.course_id
    of_student = event.student_id == state.student_id
    change = 1 if taken else -1
    return replace(
        state,
        seats_taken=state.seats_taken + change * of_course,
        courses_of_student=state.courses_of_student + change * of_student,
        student_is_enrolled=taken if of_course and of_student else state.student_is_enrolled,
    )


def decide(state: State, command: EnrollStudent) -> Decision[Happens, Refusal]:
    """The first rule that applies decides."""
    if state.capacity is None:
        return _refuse(command, CourseNotDefined(command.course_id))
    if not state.student_is_registered:
        return _refuse(command, StudentNotRegistered(command.student_id))
    if state.student_is_enrolled:
        return Nothing()
    if state.seats_taken >= state.capacity:
        return _refuse(command, CourseFull(command.course_id))
    if state.courses_of_student >= MOST_COURSES_PER_STUDENT:
        return _refuse(command, StudentAtCourseLimit(command.student_id))
    return Append(StudentEnrolledToCourse(command.student_id, command.course_id, occurred_at=command.occurred_at))


def _refuse(command: EnrollStudent, reason: Refusal) -> Reject[Refusal]:
    return Reject(
        reason,
        EnrollingStudentFailed(command.student_id, command.course_id, reason.name, occurred_at=command.occurred_at),
    )
