"""POST /api/lending/register-reader for programs, /library/readers/register for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Email, Id, Text
from slices.forms import Page
from slices.lending.register_reader.command import RegisterReader
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class RegisterReaderBody(Body):
    """Register a reader."""

    reader_id = Id(required=False)
    name = Text(200)
    email = Email(required=False)


PAGE: Page[RegisterReader] = Page(
    address="/library/readers/register",
    template="register_reader/form.html",
    done="The reader is registered.",
    nothing="The reader is registered already.",
    then=lambda command: f"/library/readers/{command.reader_id}",
)


def make(fields: Fields, now: datetime, origin: Origin) -> RegisterReader:
    """The command that was asked for; what has no id yet gets one."""
    named: Fields = {"reader_id": origin.new_id, **fields}
    return RegisterReader(**named, occurred_at=now)


def blueprint(handle: Handle[RegisterReader], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/register-reader",
        body=RegisterReaderBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
