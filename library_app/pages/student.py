"""`/school/students/<StudentID>`: one student, and the courses they sit in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from flask import Blueprint, abort, render_template

from eventstore import EventStore, Filter, FilterBuilder, P
from library_app.glass.events import ShownEvent
from slices.domain_event import stored_types
from slices.enrollment.events import (
    CourseDefined,
    StudentEnrolledToCourse,
    StudentRegistered,
    StudentWithdrawnFromCourse,
)
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.questions import Questions

Relevant: TypeAlias = StudentRegistered | StudentEnrolledToCourse | StudentWithdrawnFromCourse

_TYPES: Final = stored_types(Relevant)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A student's name, and since when they sit in which course."""

    name: str
    since: dict[str, datetime]


def boundary(student_id: str) -> Filter:
    """What says where one student sits."""
    item = FilterBuilder().matching().any_event_type_of(*_TYPES)
    return item.and_any_predicate_of(P("StudentID", student_id)).finalize()


def project(events: Iterable[Relevant]) -> Schedule | None:
    """Fold the events; None if nobody was ever registered."""
    name = ""
    since: dict[str, datetime] = {}
    for event in events:
        match event:
            case StudentRegistered():
                name = event.name
            case StudentEnrolledToCourse():
                since[event.course_id] = event.occurred_at
            case StudentWithdrawnFromCourse():
                since.pop(event.course_id, None)
    return Schedule(name, since) if name else None


def blueprint(store: EventStore, questions: Questions) -> Blueprint:
    """The route."""
    routes = Blueprint("student", __name__)

    @routes.get("/school/students/<uuid:student_id>")
    def student(student_id: UUID) -> str:
        schedule = questions.ask(boundary(str(student_id)), project).view
        if schedule is None:
            abort(404)
        everything = FilterBuilder().matching().any_predicate_of(P("StudentID", str(student_id))).finalize()
        shown = [ShownEvent.of(event) for event in store.query(everything, backwards=True)]
        courses = {event.ids["CourseID"] for event in shown if "CourseID" in event.ids}
        return render_template(
            "pages/student.html",
            student_id=str(student_id),
            schedule=schedule,
            most=MOST_COURSES_PER_STUDENT,
            events=shown,
            names=_titles_of(questions, courses),
        )

    return routes


def _titles_of(questions: Questions, course_ids: set[str]) -> dict[str, str]:
    if not course_ids:
        return {}
    first, *more = [P("CourseID", course_id) for course_id in sorted(course_ids)]
    item = FilterBuilder().matching().any_event_type_of(CourseDefined.TYPE)
    return questions.ask(item.and_any_predicate_of(first, *more).finalize(), _titles).view


def _titles(defined: Iterable[CourseDefined]) -> dict[str, str]:
    return {course.course_id: course.title for course in defined}
