"""Numbers that the school has agreed on."""

from typing import Final

MOST_COURSES_PER_STUDENT: Final = 10
LARGEST_CAPACITY: Final = 10_000
