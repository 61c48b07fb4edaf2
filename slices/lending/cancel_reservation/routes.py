"""POST /api/lending/cancel-reservation for programs, /library/cancel-reservation for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.cancel_reservation.command import CancelReservation
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class CancelReservationBody(Body):
    """Take a reader off the waiting list of a copy."""

    book_id = Id()
    reader_id = Id()


PAGE: Page[CancelReservation] = Page(
    address="/library/cancel-reservation",
    template="cancel_reservation/form.html",
    done="The reservation is canceled.",
    nothing="The reader does not wait for this copy.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> CancelReservation:
    """The command that was asked for."""
    return CancelReservation(**fields, occurred_at=now)


def blueprint(handle: Handle[CancelReservation], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/cancel-reservation",
        body=CancelReservationBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
