"""GET /api/lending/book-search for programs, /library/search for people."""

from typing import Any, Protocol

from flask import render_template, request
from marshmallow import fields, validate

from eventstore.filters import HIGHEST_POSITION
from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, Asked, View, many
from slices.last_write import last_write
from slices.lending.book_search.project import BookFound, Question, Show
from slices.live.answer import LiveAnswer
from slices.paging import PageOf

_NO_NUMBER: Any = {"invalid": "Not a whole number.", "too_large": "Not a whole number."}


class Handle(Protocol):
    """The `handle` of either handler of this slice."""

    def __call__(self, question: Question, at_least: int | None, /) -> LiveAnswer[PageOf[BookFound]]: ...


class BookSearchQuery(Asked):
    """What may stand in the address."""

    q = fields.String(load_default="", metadata={"description": "Beginnings of words of title or authors, or an ISBN."})
    show = fields.String(load_default="all", validate=validate.OneOf(["all", "free", "lent"]))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 10**9), error_messages=_NO_NUMBER)
    at_least = fields.Integer(
        load_default=None,
        validate=validate.Range(0, HIGHEST_POSITION, error="A position in the log, please."),
        error_messages=_NO_NUMBER,
        metadata={
            "description": "Wait for the answer to know this event, such as your last one; for a second at most."
        },
    )


class BookFoundView(View):
    """One copy in circulation."""

    book_id = fields.String()
    isbn = fields.String()
    title = fields.String()
    authors = fields.String()
    edition = fields.String()
    publisher = fields.String()
    publication_year = fields.Integer()
    is_lent = fields.Boolean()
    held_for = fields.String(allow_none=True, metadata={"description": "The reader for whom it lies ready."})


class BookSearchView(AnswerView):
    """A page of the copies that fit, by title."""

    position = fields.Integer(metadata={"description": "Events up to here are in the answer."})
    head = fields.Integer(metadata={"description": "The newest event of the store at the same moment."})
    behind = fields.Boolean(metadata={"description": "The event of at_least is not in the answer."})
    stopped = fields.Boolean(metadata={"description": "No events are taken in until somebody mends it."})
    total = fields.Integer(metadata={"description": "How many copies fit."})
    page = fields.Integer()
    pages = fields.Integer()
    books = many(BookFoundView)


def blueprint(handle: Handle) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/book-search", BookSearchView, asked=BookSearchQuery)
    def api(asked: dict[str, Any]) -> dict[str, Any]:
        """Copies that have these words in title, author or ISBN."""
        answer = handle(Question(asked["q"], asked["show"], str(asked["page"])), asked["at_least"])
        return {
            "position": answer.position,
            "head": answer.head,
            "behind": answer.is_behind,
            "stopped": answer.is_stopped,
            "total": answer.view.total,
            "page": answer.view.number,
            "pages": answer.view.pages,
            "books": answer.view.rows,
        }

    @pages.get("/library/search")
    def page() -> str:
        asked = Question(request.args.get("q", "").strip(), _show(request.args.get("show")), request.args.get("page"))
        answer = handle(asked, last_write())
        return render_template("book_search/page.html", books=answer.view, question=asked, answer=answer)

    return blueprint


def _show(wanted: str | None) -> Show:
    return "free" if wanted == "free" else "lent" if wanted == "lent" else "all"
