"""POST /api/lending/reserve-book for programs, /library/reserve for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.reserve_book.command import ReserveBook
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class ReserveBookBody(Body):
    """Put a reader on the waiting list of a copy."""

    book_id = Id()
    reader_id = Id()


PAGE: Page[ReserveBook] = Page(
    address="/library/reserve",
    template="reserve_book/form.html",
    done="The copy is reserved: the reader is on its waiting list.",
    nothing="The reader is on the waiting list of this copy already.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> ReserveBook:
    """The command that was asked for."""
    return ReserveBook(**fields, occurred_at=now)


def blueprint(handle: Handle[ReserveBook], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/reserve-book",
        body=ReserveBookBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
