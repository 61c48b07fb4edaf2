"""GET /api/lending/books-lent-out for programs, /library/books/lent for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.books_lent_out.project import BookLentOut
from slices.paging import page_of
from slices.questions import Answer


class BookLentOutView(View):
    """A copy that a reader has."""

    book_id = fields.String()
    title = fields.String()
    authors = fields.String()
    reader_id = fields.String()
    reader_name = fields.String()
    since = fields.AwareDateTime()


class BooksLentOutView(AnswerView):
    """Every copy that is out."""

    books = many(BookLentOutView)


def blueprint(handle: Callable[[], Answer[tuple[BookLentOut, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/books-lent-out", BooksLentOutView)
    def api() -> dict[str, Any]:
        """Every copy that is out and who has it, longest away first."""
        answer = handle()
        return {"position": answer.position, "books": answer.view}

    @pages.get("/library/books/lent")
    def page() -> str:
        answer = handle()
        books = page_of(answer.view, request.args.get("page"))
        return render_template("books_lent_out/page.html", books=books, position=answer.position)

    return blueprint
