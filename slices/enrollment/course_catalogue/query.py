"""The events of all courses, and the question to the log."""

from dataclasses import dataclass

from eventstore import Filter, FilterBuilder
from slices.domain_event import stored_types
from slices.enrollment.course_catalogue.project import CourseInCatalogue, Relevant, project
from slices.questions import Answer, Questions


def boundary() -> Filter:
    """Everything that happened to any course."""
    return FilterBuilder().matching().any_event_type_of(*stored_types(Relevant)).finalize()


@dataclass(frozen=True, slots=True)
class CourseCatalogueHandler:
    """Answers from the events."""

    questions: Questions

    def handle(self) -> Answer[tuple[CourseInCatalogue, ...]]:
        """See `Questions.ask`."""
        return self.questions.ask(boundary(), project)
