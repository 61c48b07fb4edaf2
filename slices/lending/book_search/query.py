"""The events of the whole shelf, and the question to the log, for when there are no rows to ask."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.book_search.project import BookFound, Question, Relevant, find, project
from slices.live.answer import LiveAnswer
from slices.paging import PageOf
from slices.questions import Questions


def boundary() -> Filter:
    """Everything that happened to any copy."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class BookSearchHandler:
    """Answers from the events. `live.LiveBookSearchHandler` gives the same answers from rows."""

    questions: Questions

    def handle(self, question: Question, at_least: int | None = None) -> LiveAnswer[PageOf[BookFound]]:
        """See `Questions.ask`. The answer is up to date, so it is behind only a position that the store never had."""
        answer = self.questions.ask(boundary(), project)
        is_behind = (at_least or 0) > answer.position
        return LiveAnswer(find(answer.view, question), answer.position, answer.position, is_behind=is_behind)
