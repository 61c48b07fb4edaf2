"""GET /api/enrollment/student-schedule/<StudentID> for programs, /school/students/<StudentID> for people."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, render_template
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.enrollment.student_schedule.project import Schedule
from slices.fields import AnswerView, View, many
from slices.questions import Answer


class TakenCourseView(View):
    """A course in which the student has a seat."""

    course_id = fields.String()
    title = fields.String()
    since = fields.AwareDateTime()


class StudentScheduleView(AnswerView):
    """A student, and what the student takes."""

    student_id = fields.String()
    name = fields.String()
    courses = many(TakenCourseView)


def blueprint(handle: Callable[[str], Answer[Schedule | None]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    def find(student_id: UUID) -> tuple[Schedule, int]:
        answer = handle(str(student_id))
        if answer.view is None:
            abort(404)
        return answer.view, answer.position

    @question(blueprint, "/api/enrollment/student-schedule/<uuid:student_id>", StudentScheduleView)
    def api(student_id: UUID) -> dict[str, Any]:
        """The courses of a student, by the time of enrolling."""
        schedule, position = find(student_id)
        return {
            "position": position,
            "student_id": schedule.student_id,
            "name": schedule.name,
            "courses": schedule.courses,
        }

    @pages.get("/school/students/<uuid:student_id>")
    def page(student_id: UUID) -> str:
        schedule, position = find(student_id)
        return render_template(
            "student_schedule/page.html", schedule=schedule, most=MOST_COURSES_PER_STUDENT, position=position
        )

    return blueprint
