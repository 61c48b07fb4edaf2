"""Everything that can be on record in the school. Slices meet here, and only here."""

from typing import ClassVar

from slices.domain_event import DomainEvent


class CourseDefined(DomainEvent, frozen=True):
    """A course is offered, with so many seats."""

    TYPE: ClassVar[str] = "CourseDefined"

    course_id: str
    title: str
    capacity: int


class CourseCapacityChanged(DomainEvent, frozen=True):
    """A course has another number of seats from now on."""

    TYPE: ClassVar[str] = "CourseCapacityChanged"

    course_id: str
    capacity: int


class StudentRegistered(DomainEvent, frozen=True):
    """A person may take courses."""

    TYPE: ClassVar[str] = "StudentRegistered"

    student_id: str
    name: str


class StudentEnrolledToCourse(DomainEvent, frozen=True):
    """A student has a seat in a course."""

    TYPE: ClassVar[str] = "StudentEnrolledToCourse"

    student_id: str
    course_id: str


class StudentWithdrawnFromCourse(DomainEvent, frozen=True):
    """A student gave the seat back."""

    TYPE: ClassVar[str] = "StudentWithdrawnFromCourse"

    student_id: str
    course_id: str


class EnrollingStudentFailed(DomainEvent, frozen=True):
    """A student could not be enrolled. `failure_info` is the name of the rejection."""

    TYPE: ClassVar[str] = "EnrollingStudentFailed"

    student_id: str
    course_id: str
    failure_info: str


EVENTS: tuple[type[DomainEvent], ...] = (
    CourseDefined,
    CourseCapacityChanged,
    StudentRegistered,
    StudentEnrolledToCourse,
    StudentWithdrawnFromCourse,
    EnrollingStudentFailed,
)
