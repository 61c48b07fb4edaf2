"""POST /api/lending/claim-reader-email for programs, /library/readers/address for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Email, Id
from slices.forms import Page
from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class ClaimReaderEmailBody(Body):
    """Give a reader an address that no other reader has."""

    reader_id = Id()
    email = Email()


PAGE: Page[ClaimReaderEmail] = Page(
    address="/library/readers/address",
    template="claim_reader_email/form.html",
    done="The address is the reader's now.",
    nothing="The reader has this address already.",
    then=lambda command: f"/library/readers/{command.reader_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> ClaimReaderEmail:
    """The command that was asked for."""
    return ClaimReaderEmail(**fields, occurred_at=now)


def blueprint(handle: Handle[ClaimReaderEmail], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/claim-reader-email",
        body=ClaimReaderEmailBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
