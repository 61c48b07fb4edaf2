"""The events of the whole shelf, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.books_in_circulation.project import BookInCirculation, Relevant, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Everything that happened to any copy."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class BooksInCirculationHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[BookInCirculation, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
