"""From events to the list of students. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from slices.enrollment.events import StudentRegistered

Relevant: TypeAlias = StudentRegistered


@dataclass(frozen=True, slots=True)
class RegisteredStudent:
    """Somebody who may take courses."""

    student_id: str
    name: str
    registered_at: datetime


def project(history: Iterable[Relevant]) -> tuple[RegisteredStudent, ...]:
    """Students by the time of their registration; ties in the order of the log."""
    students = [RegisteredStudent(event.student_id, event.name, event.occurred_at) for event in history]
    return tuple(sorted(students, key=lambda student: student.registered_at))
