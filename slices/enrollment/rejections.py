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
