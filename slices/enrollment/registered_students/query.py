"""The events of all students, and the question to a store."""

from dataclasses import dataclass

from eventstore import EventStore, Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.enrollment.registered_students.project import RegisteredStudent, Relevant, project
from slices.questions import Answer, ask


def boundary() -> Filter:
    """Every registration."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class RegisteredStudentsHandler:
    """Answers from a store."""

    store: EventStore

    def handle(self) -> Answer[tuple[RegisteredStudent, ...]]:
        """See `ask`."""
        return ask(self.store, boundary(), project)
