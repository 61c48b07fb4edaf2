"""A student who changed their mind."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WithdrawStudent:
    """Take this student out of this course, now."""

    student_id: str
    course_id: str
    occurred_at: datetime
