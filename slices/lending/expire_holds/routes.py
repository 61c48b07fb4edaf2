"""POST /api/lending/expire-holds for programs, /library/holds/expire for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.expire_holds.command import ExpireHolds
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class ExpireHoldsBody(Body):
    """End the hold of a copy if its time has passed, and hold it for the next on the list."""

    book_id = Id()


PAGE: Page[ExpireHolds] = Page(
    address="/library/holds/expire",
    template="expire_holds/form.html",
    done="The hold has ended.",
    nothing="The copy is not held, or the reader still has time to collect it.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> ExpireHolds:
    """The command that was asked for."""
    return ExpireHolds(**fields, occurred_at=now)


def blueprint(handle: Handle[ExpireHolds], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/expire-holds",
        body=ExpireHoldsBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
