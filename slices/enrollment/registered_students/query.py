"""The events of all students, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.enrollment.registered_students.project import RegisteredStudent, Relevant, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Every registration."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class RegisteredStudentsHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[RegisteredStudent, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
