"""POST /api/enrollment/withdraw-student for programs, /school/withdraw for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.enrollment.withdraw_student.command import WithdrawStudent
from slices.fields import Body, Id
from slices.forms import Page
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class WithdrawStudentBody(Body):
    """Withdraw a student from a course."""

    student_id = Id()
    course_id = Id()


PAGE: Page[WithdrawStudent] = Page(
    address="/school/withdraw",
    template="withdraw_student/form.html",
    done="The student has given the seat back.",
    nothing="The student has given the seat back already.",
    then=lambda command: f"/school/courses/{command.course_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> WithdrawStudent:
    """The command that was asked for."""
    return WithdrawStudent(**fields, occurred_at=now)


def blueprint(handle: Handle[WithdrawStudent], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/enrollment/withdraw-student",
        body=WithdrawStudentBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
