"""The events of all loans, with those that say what copies and readers are called, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.books_lent_out.project import BookLentOut, Relevant, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Every loan, every copy and every reader: any copy may be out, so their titles need no second question."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class BooksLentOutHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[BookLentOut, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
