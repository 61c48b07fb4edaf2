"""The events of all lendings, with those that say what copies and readers are called, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.finished_lendings.project import Excerpt, Order, Relevant, excerpt, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Every lending, copy and reader: any of them may be in the answer, so their names need no second question."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class FinishedLendingsHandler:
    """Answers from the events.

    Order and limit are no part of what may be kept between two questions: they choose from the whole view.
    """

    questions: Questions

    def handle(self, order: Order, limit: int) -> Answer[Excerpt]:
        """See `Questions.ask`.

        Args:
            order: by the time of the return.
            limit: how many at most.
        """
        answer = self.questions.ask(boundary(), project)
        return Answer(excerpt(answer.view, order, limit), answer.position)
