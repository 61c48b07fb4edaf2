"""POST /api/lending/return-book-from-reader for programs, /library/return for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class ReturnBookFromReaderBody(Body):
    """Take a copy of a book back from a reader."""

    book_id = Id()
    reader_id = Id()


PAGE: Page[ReturnBookFromReader] = Page(
    address="/library/return",
    template="return_book_from_reader/form.html",
    done="The copy is back.",
    nothing="The reader has brought this copy back already.",
    then=lambda command: f"/library/readers/{command.reader_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> ReturnBookFromReader:
    """The command that was asked for."""
    return ReturnBookFromReader(**fields, occurred_at=now)


def blueprint(handle: Handle[ReturnBookFromReader], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/return-book-from-reader",
        body=ReturnBookFromReaderBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
