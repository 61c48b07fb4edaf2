"""The events of all copies' coming and going, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.removed_books.project import Relevant, RemovedBook, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Every copy that was added or removed."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class RemovedBooksHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[RemovedBook, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
