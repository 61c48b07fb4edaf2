"""The students and courses of the tests, and what happens to them."""

from datetime import UTC, datetime
from typing import Final

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)

NOON: Final = datetime(2025, 7, 1, 12, tzinfo=UTC)

LATIN: Final = "0198226e-19f6-7d2b-8be9-10871e23e830"
EVE: Final = "0198226e-19f6-7d2c-8342-dc5c8d5a2cf5"
ADA: Final = "0198226e-19f6-7d2c-8342-dc5c8d5a2cf6"


def some_id(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def enrolled(student: str, course: str, at: datetime = NOON) -> StudentEnrolledToCourse:
    return StudentEnrolledToCourse(student, course, occurred_at=at)


def withdrawn(student: str, course: str) -> StudentWithdrawnFromCourse:
    return StudentWithdrawnFromCourse(student, course, occurred_at=NOON)


def capacity_changed(capacity: int) -> CourseCapacityChanged:
    return CourseCapacityChanged(LATIN, capacity, occurred_at=NOON)


LATIN_DEFINED: Final = CourseDefined(LATIN, "Latin", 2, occurred_at=NOON)
EVE_REGISTERED: Final = StudentRegistered(EVE, "Eve", occurred_at=NOON)
ADA_REGISTERED: Final = StudentRegistered(ADA, "Ada", occurred_at=NOON)
