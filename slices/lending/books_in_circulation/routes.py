"""GET /api/lending/books-in-circulation for programs, the catalogue /library/books for people."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.books_in_circulation.project import BookInCirculation
from slices.paging import page_of
from slices.questions import Answer

Show: TypeAlias = Literal["all", "free", "lent"]


class BookInCirculationView(View):
    """One copy that the library offers."""

    book_id = fields.String()
    isbn = fields.String()
    title = fields.String()
    authors = fields.String()
    edition = fields.String()
    publisher = fields.String()
    publication_year = fields.Integer()
    added_at = fields.AwareDateTime()
    is_lent = fields.Boolean()
    held_for = fields.String(allow_none=True, metadata={"description": "The reader for whom it lies ready."})


class BooksInCirculationView(AnswerView):
    """Every copy in circulation."""

    books = many(BookInCirculationView)


def blueprint(handle: Callable[[], Answer[tuple[BookInCirculation, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/books-in-circulation", BooksInCirculationView)
    def api() -> dict[str, Any]:
        """Every copy in circulation, and whether it is lent or held."""
        answer = handle()
        return {"position": answer.position, "books": answer.view}

    @pages.get("/library/books")
    def page() -> str:
        answer = handle()
        show = _show(request.args.get("show"))
        found = [book for book in answer.view if _is_shown(book, show)]
        return render_template(
            "books_in_circulation/page.html",
            books=page_of(found, request.args.get("page")),
            in_circulation=len(answer.view),
            show=show,
            position=answer.position,
        )

    return blueprint


def _show(wanted: str | None) -> Show:
    return "free" if wanted == "free" else "lent" if wanted == "lent" else "all"


def _is_shown(book: BookInCirculation, show: Show) -> bool:
    return show == "all" or (book.is_free if show == "free" else book.is_lent)
