"""Why the school refuses: one class per reason, shared by the slices that give it."""

from dataclasses import dataclass
from typing import ClassVar

from slices.decision import Rejection
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT


@dataclass(frozen=True, slots=True)
class CourseAlreadyDefined(Rejection):
    """The course exists with another title or another initial capacity."""

    name: ClassVar[str] = "CourseAlreadyDefined"
    message: ClassVar[str] = "The course is defined already, with another title or capacity."

    course_id: str


@dataclass(frozen=True, slots=True)
class CourseNotDefined(Rejection):
    """No course was ever defined under this id."""

    name: ClassVar[str] = "CourseNotDefined"
    message: ClassVar[str] = "There is no such course."

    course_id: str


@dataclass(frozen=True, slots=True)
class CourseFull(Rejection):
    """Every seat of the course is taken."""

    name: ClassVar[str] = "CourseFull"
    message: ClassVar[str] = "Every seat of the course is taken."

    course_id: str


@dataclass(frozen=True, slots=True)
class StudentNotRegistered(Rejection):
    """No student was ever registered under this id."""

    name: ClassVar[str] = "StudentNotRegistered"
    message: ClassVar[str] = "The student is not registered."

    student_id: str


@dataclass(frozen=True, slots=True)
class StudentAtCourseLimit(Rejection):
    """The student takes as many courses as one student may."""

    name: ClassVar[str] = "StudentAtCourseLimit"
    message: ClassVar[str] = f"The student takes {MOST_COURSES_PER_STUDENT} courses already; no student may take more."

    student_id: str


@dataclass(frozen=True, slots=True)
class CapacityBelowEnrollment(Rejection):
    """More students take the course than it would have seats: `enrolled` says how many."""

    name: ClassVar[str] = "CapacityBelowEnrollment"
    message: ClassVar[str] = "More students take the course than that. Some would lose their seat."

    course_id: str
    enrolled: int


@dataclass(frozen=True, slots=True)
class StudentNotEnrolled(Rejection):
    """The student never took this course."""

    name: ClassVar[str] = "StudentNotEnrolled"
    message: ClassVar[str] = "The student never took this course."

    student_id: str
    course_id: str
