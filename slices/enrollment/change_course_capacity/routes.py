"""POST /api/enrollment/change-course-capacity for programs, /school/courses/capacity for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.limits import LARGEST_CAPACITY
from slices.fields import Body, Id, WholeNumber
from slices.forms import Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class ChangeCourseCapacityBody(Body):
    """Give a course more or fewer seats."""

    course_id = Id()
    capacity = WholeNumber(1, LARGEST_CAPACITY)


PAGE: Page[ChangeCourseCapacity] = Page(
    address="/school/courses/capacity",
    template="change_course_capacity/form.html",
    done="The number of seats is changed.",
    nothing="The course has so many seats already.",
    then=lambda command: f"/school/courses/{command.course_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> ChangeCourseCapacity:
    """The command that was asked for."""
    return ChangeCourseCapacity(**fields, occurred_at=now)


def blueprint(handle: Handle[ChangeCourseCapacity], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/enrollment/change-course-capacity",
        body=ChangeCourseCapacityBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
