"""GET /api/enrollment/registered-students for programs, /school/students for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.enrollment.registered_students.project import RegisteredStudent
from slices.fields import AnswerView, View, many
from slices.paging import fitting, page_of
from slices.questions import Answer


class RegisteredStudentView(View):
    """Somebody who may take courses."""

    student_id = fields.String()
    name = fields.String()
    registered_at = fields.AwareDateTime()


class RegisteredStudentsView(AnswerView):
    """Every student."""

    students = many(RegisteredStudentView)


def blueprint(handle: Callable[[], Answer[tuple[RegisteredStudent, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/enrollment/registered-students", RegisteredStudentsView)
    def api() -> dict[str, Any]:
        """Every student, in the order of registration."""
        answer = handle()
        return {"position": answer.position, "students": answer.view}

    @pages.get("/school/students")
    def page() -> str:
        answer = handle()
        typed = request.args.get("q", "").strip()
        found = fitting(answer.view, typed, lambda student: f"{student.name} {student.student_id}")
        return render_template(
            "registered_students/page.html",
            students=page_of(found, request.args.get("page")),
            typed=typed,
            registered=len(answer.view),
            position=answer.position,
        )

    return blueprint
