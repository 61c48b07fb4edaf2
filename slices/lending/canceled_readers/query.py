"""The events of all readers' contracts, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.canceled_readers.project import CanceledReader, Relevant, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Every contract that began or ended."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class CanceledReadersHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[CanceledReader, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
