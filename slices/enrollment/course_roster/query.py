"""The events of one course, then the registrations of the students who take it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from eventstore import Filter, FilterBuilder, P
from slices.domain_event import stored_types
from slices.enrollment.course_roster.project import (
    Relevant,
    RelevantToNames,
    Roster,
    Seat,
    project,
    with_names,
)
from slices.questions import Answer, Questions

MOST_NAMES_ASKED_FOR: Final = 200
"""For more students than this it is cheaper to read every registration."""


def boundary(course_id: str) -> Filter:
    """All that happened to this course."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("CourseID", course_id))
        .finalize()
    )


def boundary_of_names(first: Seat, /, *more: Seat) -> Filter:
    """How the students registered."""
    seats = (first, *more)
    registrations = FilterBuilder().matching().any_event_type_of(*stored_types(RelevantToNames))
    if len(seats) > MOST_NAMES_ASKED_FOR:
        return registrations.finalize()
    return registrations.and_any_predicate_of(*(P("StudentID", seat.student_id) for seat in seats)).finalize()


@dataclass(frozen=True, slots=True)
class CourseRosterHandler:
    """Answers from the events.

    Which students to look up is known only after the first answer, so there are two. The second may be younger; it
    does not matter, for a student registered before enrolling.
    """

    questions: Questions

    def handle(self, course_id: str) -> Answer[Roster | None]:
        """See `Questions.ask`. The view is None if no course was ever defined under this id."""
        answer = self.questions.ask(boundary(course_id), project)
        roster = answer.view
        if roster is None or not roster.seats:
            return answer

        def add_names(history: Iterable[RelevantToNames]) -> Roster:
            return replace(roster, seats=with_names(roster.seats, history))

        named = self.questions.ask(boundary_of_names(*roster.seats), add_names)
        return Answer(named.view, answer.position)
