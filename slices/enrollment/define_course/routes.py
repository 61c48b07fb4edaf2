"""POST /api/enrollment/define-course for programs, /school/courses/define for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.limits import LARGEST_CAPACITY
from slices.fields import Body, Id, Text, WholeNumber
from slices.forms import Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class DefineCourseBody(Body):
    """Define a course."""

    course_id = Id(required=False)
    title = Text(200)
    capacity = WholeNumber(1, LARGEST_CAPACITY)


PAGE: Page[DefineCourse] = Page(
    address="/school/courses/define",
    template="define_course/form.html",
    done="The course is defined.",
    nothing="The course is defined just so already.",
    then=lambda command: f"/school/courses/{command.course_id}",
)


def make(fields: Fields, now: datetime, origin: Origin) -> DefineCourse:
    """The command that was asked for; what has no id yet gets one."""
    named: Fields = {"course_id": origin.new_id, **fields}
    return DefineCourse(**named, occurred_at=now)


def blueprint(handle: Handle[DefineCourse], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/enrollment/define-course",
        body=DefineCourseBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
