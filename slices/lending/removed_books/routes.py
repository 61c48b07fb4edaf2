"""GET /api/lending/removed-books for programs, /library/books/removed for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.removed_books.project import RemovedBook
from slices.paging import page_of
from slices.questions import Answer


class RemovedBookView(View):
    """A copy that the library no longer offers."""

    book_id = fields.String(attribute="book.book_id")
    isbn = fields.String(attribute="book.isbn")
    title = fields.String(attribute="book.title")
    authors = fields.String(attribute="book.authors")
    edition = fields.String(attribute="book.edition")
    publisher = fields.String(attribute="book.publisher")
    publication_year = fields.Integer(attribute="book.publication_year")
    removed_at = fields.AwareDateTime()


class RemovedBooksView(AnswerView):
    """Every copy that is no longer offered."""

    books = many(RemovedBookView)


def blueprint(handle: Callable[[], Answer[tuple[RemovedBook, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/removed-books", RemovedBooksView)
    def api() -> dict[str, Any]:
        """Every copy that is no longer offered, by the time of its removal."""
        answer = handle()
        return {"position": answer.position, "books": answer.view}

    @pages.get("/library/books/removed")
    def page() -> str:
        answer = handle()
        removed = page_of(answer.view, request.args.get("page"))
        return render_template("removed_books/page.html", removed=removed, position=answer.position)

    return blueprint
