"""GET /api/lending/finished-lendings for programs, /library/lendings for people."""

from collections.abc import Callable
from typing import Any, Final

from flask import render_template, request
from marshmallow import fields, validate

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, Asked, View, WholeNumber, many
from slices.lending.finished_lendings.project import Excerpt, Order
from slices.paging import page_of
from slices.questions import Answer

USUAL_LIMIT: Final = 100
HIGHEST_LIMIT: Final = 1000


class FinishedLendingsQuestion(Asked):
    """Which lendings, and how many."""

    order = fields.String(
        validate=validate.OneOf(["newest", "oldest"], error="newest or oldest, please."),
        metadata={"description": "Which come first, by the time of the return.", "default": "newest"},
    )
    limit = WholeNumber(1, HIGHEST_LIMIT, required=False)


class FinishedLendingView(View):
    """A copy was with a reader, and came back."""

    book_id = fields.String()
    title = fields.String()
    reader_id = fields.String()
    reader_name = fields.String()
    lent_at = fields.AwareDateTime()
    returned_at = fields.AwareDateTime()


class FinishedLendingsView(AnswerView):
    """Some of the finished lendings, and how many there are."""

    total = fields.Integer(metadata={"description": "All finished lendings, whatever the limit."})
    lendings = many(FinishedLendingView)


def blueprint(handle: Callable[[Order, int], Answer[Excerpt]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/finished-lendings", FinishedLendingsView, asked=FinishedLendingsQuestion)
    def api(asked: dict[str, Any]) -> dict[str, Any]:
        """The newest (or oldest) finished lendings, 100 unless told otherwise."""
        answer = handle(asked.get("order", "newest"), asked.get("limit", USUAL_LIMIT))
        return {"position": answer.position, "total": answer.view.total, "lendings": answer.view.lendings}

    @pages.get("/library/lendings")
    def page() -> str:
        order: Order = "oldest" if request.args.get("order") == "oldest" else "newest"
        answer = handle(order, HIGHEST_LIMIT)
        return render_template(
            "finished_lendings/page.html",
            lendings=page_of(answer.view.lendings, request.args.get("page")),
            total=answer.view.total,
            order=order,
            position=answer.position,
        )

    return blueprint
