"""The rules of registering: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import Never, TypeAlias

from msgspec import Struct

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing
from slices.domain_event import stored_types
from slices.enrollment.events import StudentRegistered
from slices.enrollment.register_student.command import RegisterStudent

Relevant: TypeAlias = StudentRegistered
Happens: TypeAlias = StudentRegistered


def boundary(command: RegisterStudent) -> Filter:
    """Whether this student is known."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("StudentID", command.student_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this student."""

    registered: bool = False

    @classmethod
    def of(cls, _command: RegisterStudent) -> "State":
        """Before anything happened."""
        return cls()


def evolve(_state: State, _event: Relevant) -> State:
    """What is known after one more event."""
    return State(registered=True)


def decide(state: State, command: RegisterStudent) -> Decision[Happens, Never]:
    """The first rule that applies decides."""
    if state.registered:
        return Nothing()
    return Append(StudentRegistered(command.student_id, command.name, occurred_at=command.occurred_at))
