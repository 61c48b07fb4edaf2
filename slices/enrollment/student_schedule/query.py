"""The events of one student, then the definitions of the courses that the student takes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from eventstore import Filter, FilterBuilder, P
from slices.domain_event import stored_types
from slices.enrollment.student_schedule.project import (
    Relevant,
    RelevantToTitles,
    Schedule,
    TakenCourse,
    project,
    with_titles,
)
from slices.questions import Answer, Questions


def boundary(student_id: str) -> Filter:
    """All that happened to this student."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("StudentID", student_id))
        .finalize()
    )


def boundary_of_titles(first: TakenCourse, /, *more: TakenCourse) -> Filter:
    """How the courses were defined."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(RelevantToTitles))
        .and_any_predicate_of(*(P("CourseID", course.course_id) for course in (first, *more)))
        .finalize()
    )


@dataclass(frozen=True, slots=True)
class StudentScheduleHandler:
    """Answers from the events.

    Which courses to look up is known only after the first answer, so there are two. The second may be younger; it does
    not matter, for a course was defined before anybody enrolled.
    """

    questions: Questions

    def handle(self, student_id: str) -> Answer[Schedule | None]:
        """See `Questions.ask`. The view is None if nobody ever registered under this id."""
        answer = self.questions.ask(boundary(student_id), project)
        schedule = answer.view
        if schedule is None or not schedule.courses:
            return answer

        def add_titles(history: Iterable[RelevantToTitles]) -> Schedule:
            return replace(schedule, courses=with_titles(schedule.courses, history))

        titled = self.questions.ask(boundary_of_titles(*schedule.courses), add_titles)
        return Answer(titled.view, answer.position)
