"""A room that is larger or smaller than planned."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChangeCourseCapacity:
    """Offer so many seats in this course from now on."""

    course_id: str
    capacity: int
    occurred_at: datetime
