"""The events of one reader, then those of the copies that the reader has or waits for."""

from collections.abc import Iterable
from dataclasses import dataclass

from eventstore import Filter, FilterBuilder, P
from slices.domain_event import stored_types
from slices.lending.books_lent_by_reader.project import (
    Loan,
    ReaderWithLoans,
    Relevant,
    RelevantToTitles,
    Reservation,
    project,
    with_titles,
)
from slices.questions import Answer, Questions


def boundary(reader_id: str) -> Filter:
    """All that happened to this reader."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("ReaderID", reader_id))
        .finalize()
    )


def boundary_of_titles(first: Loan | Reservation, /, *more: Loan | Reservation) -> Filter:
    """How the copies came into circulation."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToTitles))
        .and_any_predicate_of(*(P("BookID", copy.book_id) for copy in (first, *more)))
        .finalize()
    )


@dataclass(frozen=True, slots=True)
class BooksLentByReaderHandler:
    """Answers from the events.

    Which copies to look up is known only after the first answer, so there are two. The second may be younger; it does
    not matter, for a copy was added before it was lent or reserved.
    """

    questions: Questions

    def handle(self, reader_id: str) -> Answer[ReaderWithLoans | None]:
        """See `Questions.ask`. The view is None if nobody ever registered under this id."""
        answer = self.questions.ask(boundary(reader_id), project)
        reader = answer.view
        if reader is None or not reader.copies:
            return answer

        def add_titles(history: Iterable[RelevantToTitles]) -> ReaderWithLoans:
            return with_titles(reader, history)

        titled = self.questions.ask(boundary_of_titles(*reader.copies), add_titles)
        return Answer(titled.view, answer.position)
