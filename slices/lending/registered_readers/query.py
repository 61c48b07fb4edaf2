"""The events of all readers' contracts, and the question to a store."""

from dataclasses import dataclass

from eventstore import EventStore, Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.lending.registered_readers.project import RegisteredReader, Relevant, project
from slices.questions import Answer, ask


def boundary() -> Filter:
    """Every contract that began or ended."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class RegisteredReadersHandler:
    """Answers from a store."""

    store: EventStore

    def handle(self) -> Answer[tuple[RegisteredReader, ...]]:
        """See `ask`."""
        return ask(self.store, boundary(), project)
