"""The events of all courses, and the question to a store."""

from dataclasses import dataclass

from eventstore import EventStore, Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.enrollment.course_catalogue.project import CourseInCatalogue, Relevant, project
from slices.questions import Answer, ask


def boundary() -> Filter:
    """Everything that happened to any course."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class CourseCatalogueHandler:
    """Answers from a store."""

    store: EventStore

    def handle(self) -> Answer[tuple[CourseInCatalogue, ...]]:
        """See `ask`."""
        return ask(self.store, boundary(), project)
