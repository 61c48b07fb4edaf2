"""POST /api/lending/lend-book-to-reader for programs, /library/lend for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class LendBookToReaderBody(Body):
    """Lend a copy of a book to a reader."""

    book_id = Id()
    reader_id = Id()


PAGE: Page[LendBookToReader] = Page(
    address="/library/lend",
    template="lend_book_to_reader/form.html",
    done="The copy is lent.",
    nothing="The reader has this copy already.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> LendBookToReader:
    """The command that was asked for."""
    return LendBookToReader(**fields, occurred_at=now)


def blueprint(handle: Handle[LendBookToReader], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/lend-book-to-reader",
        body=LendBookToReaderBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
