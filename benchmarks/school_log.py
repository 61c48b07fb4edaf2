"""The history of a school whose courses have 1, 10, 100, … events: streams of any length within one store."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.library_log import copy_line, uuids
from eventstore import Filter, FilterBuilder, P
from slices.domain_event import DomainEvent
from slices.enrollment.events import CourseDefined, StudentEnrolledToCourse, StudentRegistered

LENGTHS: Final = (100, 1_000, 10_000, 100_000, 1_000_000)
"""How long the longest stream may be."""

_FIRST_EVENT: Final = datetime(2024, 9, 1, tzinfo=UTC)
_STEP: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class School:
    """A course for each power of ten, which so many events are about: its definition, and enrollments for the rest.

    Attributes:
        courses: each course by the number of its events.
        students: as many as the largest course takes.
    """

    courses: dict[int, str]
    students: tuple[str, ...]

    @classmethod
    def of(cls, longest: int) -> "School":
        """The school whose longest stream has so many events, one of `LENGTHS`.

        Raises:
            ValueError: for another length.
        """
        if longest not in LENGTHS:
            raise ValueError(f"the longest stream has one of {LENGTHS} events, not {longest}")
        ids = uuids(random.Random(f"ids of a school of {longest}"))
        lengths = [10**power for power in range(len(str(longest)))]
        return cls({length: next(ids) for length in lengths}, tuple(next(ids) for _ in range(longest - 1)))

    @property
    def longest(self) -> int:
        """The number of events of the longest stream."""
        return max(self.courses)

    @property
    def events(self) -> int:
        """The length of the history."""
        return sum(self.courses) + len(self.students)

    def stream(self, length: int) -> Filter:
        """The filter that so many events match: all that are about one course."""
        return FilterBuilder().matching().any_predicate_of(P("CourseID", self.courses[length])).finalize()

    def history(self) -> Iterator[DomainEvent]:
        """Every event, in order: courses and students, then enrollments, the courses mixed at random."""
        moment = _FIRST_EVENT
        for length, course in self.courses.items():
            yield CourseDefined(course, f"Course {length:,}", self.longest, occurred_at=moment)
        for number, student in enumerate(self.students):
            yield StudentRegistered(student, f"Student {number}", occurred_at=moment)
        seats = [
            (student, course) for length, course in self.courses.items() for student in self.students[: length - 1]
        ]
        random.Random(f"enrollments of {self.longest}").shuffle(seats)
        for student, course in seats:
            moment += _STEP
            yield StudentEnrolledToCourse(student, course, occurred_at=moment)

    def copy_lines(self) -> Iterator[str]:
        """The history in the text format of COPY, an event a line."""
        ids = uuids(random.Random(f"events of a school of {self.longest}"))
        return (copy_line(event, next(ids), next(ids)) for event in self.history())
