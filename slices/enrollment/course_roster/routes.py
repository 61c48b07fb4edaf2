"""GET /api/enrollment/course-roster/<CourseID> for programs, /school/courses/<CourseID> for people."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.enrollment.course_roster.project import Roster
from slices.fields import AnswerView, View, many
from slices.paging import page_of
from slices.questions import Answer


class SeatView(View):
    """A student in the course."""

    student_id = fields.String()
    name = fields.String()
    since = fields.AwareDateTime()


class CourseRosterView(AnswerView):
    """A course, and who takes it."""

    course_id = fields.String()
    title = fields.String()
    capacity = fields.Integer()
    seats_left = fields.Integer()
    students = many(SeatView)


def blueprint(handle: Callable[[str], Answer[Roster | None]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    def find(course_id: UUID) -> tuple[Roster, int]:
        answer = handle(str(course_id))
        if answer.view is None:
            abort(404)
        return answer.view, answer.position

    @question(blueprint, "/api/enrollment/course-roster/<uuid:course_id>", CourseRosterView)
    def api(course_id: UUID) -> dict[str, Any]:
        """The students of a course, by the time they enrolled."""
        roster, position = find(course_id)
        return {
            "position": position,
            "course_id": roster.course_id,
            "title": roster.title,
            "capacity": roster.capacity,
            "seats_left": roster.seats_left,
            "students": roster.seats,
        }

    @pages.get("/school/courses/<uuid:course_id>")
    def page(course_id: UUID) -> str:
        roster, position = find(course_id)
        seats = page_of(roster.seats, request.args.get("page"))
        return render_template("course_roster/page.html", roster=roster, seats=seats, position=position)

    return blueprint
