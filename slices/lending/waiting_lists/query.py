"""The events of all waiting lists, then those that say what the copies and readers on them are called."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eventstore import Filter, FilterBuilder, P
from slices.domain_event import stored_types
from slices.lending.events import BookCopyAddedToCirculation, ReaderRegistered
from slices.lending.waiting_lists.project import CopyInDemand, Relevant, RelevantToNames, project, with_names
from slices.questions import Answer, Questions

MOST_NAMES_ASKED_FOR: Final = 200
"""For more copies and readers than this it is cheaper to read how every one of them is called."""


def boundary() -> Filter:
    """All that happened to any waiting list. That a copy is lent ends a reservation."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


def boundary_of_names(first: CopyInDemand, /, *more: CopyInDemand) -> Filter:
    """How these copies came into circulation, or how the readers on their lists registered."""
    copies = (first, *more)
    everybody = (reader for copy in copies for reader in (copy.held_for, *copy.readers) if reader is not None)
    readers = dict.fromkeys(P("ReaderID", reader.reader_id) for reader in everybody)
    if len(copies) + len(readers) > MOST_NAMES_ASKED_FOR:
        return FilterBuilder().matching().any_event_type_of(*stored_types(RelevantToNames)).finalize()
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(BookCopyAddedToCirculation.TYPE)
        .and_any_predicate_of(*(P("BookID", copy.book_id) for copy in copies))
        .or_matching()
        .any_event_type_of(ReaderRegistered.TYPE)
        .and_any_predicate_of(*readers)
        .finalize()
    )


@dataclass(frozen=True, slots=True)
class WaitingListsHandler:
    """Answers from the events.

    Few copies are waited for. So their titles, and the readers' names, are a second question about these few, instead
    of a state that knows the name of everything. It may be younger; it does not matter, for a copy was added and a
    reader registered before.
    """

    questions: Questions

    def handle(self) -> Answer[tuple[CopyInDemand, ...]]:
        """See `Questions.ask`."""
        answer = self.questions.ask(boundary(), project)
        if not answer.view:
            return answer

        def add_names(history: Iterable[RelevantToNames]) -> tuple[CopyInDemand, ...]:
            return with_names(answer.view, history)

        named = self.questions.ask(boundary_of_names(*answer.view), add_names)
        return Answer(named.view, answer.position)
