"""The events of the whole shelf, and the question to a store."""

from dataclasses import dataclass

from eventstore import EventStore, Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.books_in_circulation.project import BookInCirculation, Relevant, project
from slices.questions import Answer, ask


def boundary() -> Filter:
    """Everything that happened to any copy."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class BooksInCirculationHandler:
    """Answers from a store."""

    store: EventStore

    def handle(self) -> Answer[tuple[BookInCirculation, ...]]:
        """See `ask`."""
        return ask(self.store, boundary(), project)
