"""GET /api/enrollment/course-catalogue for programs, /school/courses for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.enrollment.course_catalogue.project import CourseInCatalogue
from slices.fields import AnswerView, View, many
from slices.paging import fitting, page_of
from slices.questions import Answer


class CourseInCatalogueView(View):
    """A course that one may take."""

    course_id = fields.String()
    title = fields.String()
    capacity = fields.Integer()
    seats_left = fields.Integer()


class CourseCatalogueView(AnswerView):
    """Every course."""

    courses = many(CourseInCatalogueView)


def blueprint(handle: Callable[[], Answer[tuple[CourseInCatalogue, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/enrollment/course-catalogue", CourseCatalogueView)
    def api() -> dict[str, Any]:
        """Every course with its seats left, in the order of being defined."""
        answer = handle()
        return {"position": answer.position, "courses": answer.view}

    @pages.get("/school/courses")
    def page() -> str:
        answer = handle()
        typed = request.args.get("q", "").strip()
        found = fitting(answer.view, typed, lambda course: f"{course.title} {course.course_id}")
        return render_template(
            "course_catalogue/page.html",
            courses=page_of(found, request.args.get("page")),
            typed=typed,
            defined=len(answer.view),
            position=answer.position,
        )

    return blueprint
