"""POST /api/lending/add-book-copy-to-circulation for programs, /library/books/add for people."""

from datetime import datetime

from slices.blueprints import SliceBlueprint, command_blueprint
from slices.fields import Body, Id, Isbn, PublicationYear, Text
from slices.forms import Page
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.origin import Origin
from slices.web import CommandEdge, Fields, Handle


class AddBookCopyToCirculationBody(Body):
    """Add a copy of a book to circulation."""

    book_id = Id(required=False)
    isbn = Isbn()
    title = Text(200)
    authors = Text(200)
    edition = Text(100)
    publisher = Text(200)
    publication_year = PublicationYear()


PAGE: Page[AddBookCopyToCirculation] = Page(
    address="/library/books/add",
    template="add_book_copy_to_circulation/form.html",
    done="The copy is in circulation.",
    nothing="The copy is in circulation already.",
    then=lambda command: f"/library/books/{command.book_id}",
)


def make(fields: Fields, now: datetime, origin: Origin) -> AddBookCopyToCirculation:
    """The command that was asked for; what has no id yet gets one."""
    named: Fields = {"book_id": origin.new_id, **fields}
    return AddBookCopyToCirculation(**named, occurred_at=now)


def blueprint(handle: Handle[AddBookCopyToCirculation], web: CommandEdge) -> SliceBlueprint:
    """The routes of this slice."""
    return command_blueprint(
        __name__,
        api="/api/lending/add-book-copy-to-circulation",
        body=AddBookCopyToCirculationBody,
        make=make,
        page=PAGE,
        handle=handle,
        web=web,
    )
