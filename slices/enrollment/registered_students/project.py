"""From events to the list of students. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from slices.enrollment.events import StudentRegistered
from slices.questions import Projection

Relevant: TypeAlias = StudentRegistered


@dataclass(frozen=True, slots=True)
class RegisteredStudent:
    """Somebody who may take courses."""

    student_id: str
    name: str
    registered_at: datetime


@dataclass(slots=True)
class State:
    """The students, in the order of the log."""

    students: list[RegisteredStudent] = field(default_factory=list[RegisteredStudent])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    state.students.append(RegisteredStudent(event.student_id, event.name, event.occurred_at))
    return state


def view(state: State) -> tuple[RegisteredStudent, ...]:
    """Students by the time of their registration; ties in the order of the log."""
    return tuple(sorted(state.students, key=lambda student: student.registered_at))


project: Final = Projection("registered_students", version=1, start=State, evolve=evolve, view=view)
