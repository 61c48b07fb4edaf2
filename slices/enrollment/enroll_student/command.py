"""The wish of a student."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EnrollStudent:
    """Give this student a seat in this course, now."""

    student_id: str
    course_id: str
    occurred_at: datetime
