"""POST /api/lending/remove-book-copy-from-circulation for programs, /library/books/remove for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id
from slices.forms import Page
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class RemoveBookCopyFromCirculationBody(Body):
    """Take a copy of a book out of circulation."""

    book_id = Id()


PAGE: Page[RemoveBookCopyFromCirculation] = Page(
    address="/library/books/remove",
    template="remove_book_copy_from_circulation/form.html",
    done="The copy is out of circulation.",
    nothing="The copy is out of circulation already.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, _origin: Origin) -> RemoveBookCopyFromCirculation:
    """The command that was asked for."""
    return RemoveBookCopyFromCirculation(**fields, occurred_at=now)


def blueprint(handle: Handle[RemoveBookCopyFromCirculation], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/remove-book-copy-from-circulation",
        body=RemoveBookCopyFromCirculationBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
