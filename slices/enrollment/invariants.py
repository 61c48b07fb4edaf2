"""What is true of every log of a school, whatever the slices do: an auditor who believes nothing.

Written from the rules and not from the slices: see `slices/lending/invariants.py`. Pure.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from slices.enrollment.events import (
    CourseCapacityChanged,
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT

Audited: TypeAlias = (
    CourseDefined | CourseCapacityChanged | StudentRegistered | StudentEnrolledToCourse | StudentWithdrawnFromCourse
)


@dataclass(slots=True)
class SchoolAuditor:
    """Reads the events of a school in the order of the log.

    >>> [*SchoolAuditor().objections(CourseCapacityChanged(course_id, 5, occurred_at=now))]
    ['the course is not defined']

    An event to which there are objections counts all the same: it did happen.
    """

    capacities: dict[str, int] = field(default_factory=dict[str, int])
    students: set[str] = field(default_factory=set[str])
    seats: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Pairs of course and student."""
    taken: Counter[str] = field(default_factory=Counter[str])
    """How many seats of each course, and courses of each student."""

    def objections(self, event: Audited) -> Iterator[str]:
        """What speaks against this event as the next one. Read it to its end: that is what records the event."""
        match event:
            case CourseDefined():
                if event.course_id in self.capacities:
                    yield "the course is defined already"
                self.capacities[event.course_id] = event.capacity
            case CourseCapacityChanged():
                if event.course_id not in self.capacities:
                    yield "the course is not defined"
                if self.taken[event.course_id] > event.capacity:
                    yield "more students take the course than it has seats"
                self.capacities[event.course_id] = event.capacity
            case StudentRegistered():
                if event.student_id in self.students:
                    yield "the student is registered already"
                self.students.add(event.student_id)
            case StudentEnrolledToCourse():
                yield from self._enrolled(event.course_id, event.student_id)
            case StudentWithdrawnFromCourse():
                if (event.course_id, event.student_id) not in self.seats:
                    yield "the student does not take the course"
                else:
                    self.seats.remove((event.course_id, event.student_id))
                    self.taken.subtract((event.course_id, event.student_id))
            case _:
                assert_never(event)

    def _enrolled(self, course_id: str, student_id: str) -> Iterator[str]:
        if course_id not in self.capacities:
            yield "the course is not defined"
        if student_id not in self.students:
            yield "the student is not registered"
        if (course_id, student_id) in self.seats:
            yield "the student takes the course already"
            return
        self.seats.add((course_id, student_id))
        self.taken.update((course_id, student_id))
        if self.taken[course_id] > self.capacities.get(course_id, self.taken[course_id]):
            yield "more students take the course than it has seats"
        if self.taken[student_id] > MOST_COURSES_PER_STUDENT:
            yield f"the student takes more than {MOST_COURSES_PER_STUDENT} courses"
