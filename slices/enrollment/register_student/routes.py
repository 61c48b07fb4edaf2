"""POST /api/enrollment/register-student for programs, /school/students/register for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.enrollment.register_student.command import RegisterStudent
from slices.fields import Body, Id, Text
from slices.forms import Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class RegisterStudentBody(Body):
    """Register a student."""

    student_id = Id(required=False)
    name = Text(200)


PAGE: Page[RegisterStudent] = Page(
    address="/school/students/register",
    template="register_student/form.html",
    done="The student is registered.",
    nothing="The student is registered already.",
    then=lambda _command: "/school/students",
)


def make(fields: Fields, now: datetime, origin: Origin) -> RegisterStudent:
    """The command that was asked for; what has no id yet gets one."""
    named: Fields = {"student_id": origin.new_id, **fields}
    return RegisterStudent(**named, occurred_at=now)


def blueprint(handle: Handle[RegisterStudent], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/enrollment/register-student",
        body=RegisterStudentBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
