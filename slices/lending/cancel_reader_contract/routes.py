"""POST /api/lending/cancel-reader-contract for programs, /library/readers/cancel for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class CancelReaderContractBody(Body):
    """End the contract of a reader."""

    reader_id = Id()


PAGE: Page[CancelReaderContract] = Page(
    address="/library/readers/cancel",
    template="cancel_reader_contract/form.html",
    done="The contract is ended.",
    nothing="The contract has ended already.",
    then=lambda command: f"/library/readers/{command.reader_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> CancelReaderContract:
    """The command that was asked for."""
    return CancelReaderContract(**fields, occurred_at=now)


def blueprint(handle: Handle[CancelReaderContract], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/cancel-reader-contract",
        body=CancelReaderContractBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
