"""A course to be offered."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class DefineCourse:
    """Offer a course with so many seats."""

    course_id: str
    title: str
    capacity: int
    occurred_at: datetime
