"""GET /api/lending/books-lent-by-reader/<ReaderID> for programs, /library/readers/<ReaderID> for people."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, render_template
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.books_lent_by_reader.project import ReaderWithLoans
from slices.lending.limits import MOST_COPIES_PER_READER
from slices.questions import Answer


class LoanView(View):
    """A copy that the reader has."""

    book_id = fields.String()
    title = fields.String()
    authors = fields.String()
    since = fields.AwareDateTime()


class ReservationView(View):
    """A copy that the reader waits for."""

    book_id = fields.String()
    title = fields.String()
    authors = fields.String()
    since = fields.AwareDateTime()
    held_until = fields.AwareDateTime(allow_none=True)


class BooksLentByReaderView(AnswerView):
    """A reader, what the reader has, and what the reader waits for."""

    reader_id = fields.String()
    name = fields.String()
    is_registered = fields.Boolean()
    loans = many(LoanView)
    reservations = many(ReservationView)


def blueprint(handle: Callable[[str], Answer[ReaderWithLoans | None]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    def find(reader_id: UUID) -> tuple[ReaderWithLoans, int]:
        answer = handle(str(reader_id))
        if answer.view is None:
            abort(404)
        return answer.view, answer.position

    @question(blueprint, "/api/lending/books-lent-by-reader/<uuid:reader_id>", BooksLentByReaderView)
    def api(reader_id: UUID) -> dict[str, Any]:
        """The copies that a reader has, and since when; and those that the reader waits for."""
        reader, position = find(reader_id)
        return {
            "position": position,
            "reader_id": reader.reader_id,
            "name": reader.name,
            "is_registered": reader.is_registered,
            "loans": reader.loans,
            "reservations": reader.reservations,
        }

    @pages.get("/library/readers/<uuid:reader_id>")
    def page(reader_id: UUID) -> str:
        reader, position = find(reader_id)
        return render_template(
            "books_lent_by_reader/page.html", reader=reader, quota=MOST_COPIES_PER_READER, position=position
        )

    return blueprint
