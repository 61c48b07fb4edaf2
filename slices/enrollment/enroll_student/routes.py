"""POST /api/enrollment/enroll-student for programs, /school/enroll for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.fields import Body, Id
from slices.forms import Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class EnrollStudentBody(Body):
    """Enroll a student in a course."""

    student_id = Id()
    course_id = Id()


PAGE: Page[EnrollStudent] = Page(
    address="/school/enroll",
    template="enroll_student/form.html",
    done="The student has a seat in the course.",
    nothing="The student takes this course already.",
    then=lambda command: f"/school/courses/{command.course_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> EnrollStudent:
    """The command that was asked for."""
    return EnrollStudent(**fields, occurred_at=now)


def blueprint(handle: Handle[EnrollStudent], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/enrollment/enroll-student",
        body=EnrollStudentBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
