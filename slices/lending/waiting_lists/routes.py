"""GET /api/lending/waiting-lists for programs, the hold shelf /library/waiting for people."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.waiting_lists.project import CopyInDemand
from slices.paging import page_of
from slices.questions import Answer


class WaitingReaderView(View):
    """Somebody who waits for a copy, or for whom it lies ready."""

    reader_id = fields.String()
    name = fields.String()


class CopyInDemandView(View):
    """A copy that somebody waits for, or that is held."""

    book_id = fields.String()
    title = fields.String()
    authors = fields.String()
    readers = many(WaitingReaderView)
    held_for = fields.Nested(WaitingReaderView, allow_none=True)
    held_until = fields.AwareDateTime(allow_none=True)


class WaitingListsView(AnswerView):
    """Every copy that somebody waits for, or that is held."""

    copies = many(CopyInDemandView)


def blueprint(handle: Callable[[], Answer[tuple[CopyInDemand, ...]]], now: Callable[[], datetime]) -> SliceBlueprint:
    """The routes of this slice. `now` tells which holds are past their time."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/waiting-lists", WaitingListsView)
    def api() -> dict[str, Any]:
        """Every copy that is held, by the end of the hold, then every copy that somebody waits for."""
        answer = handle()
        return {"position": answer.position, "copies": answer.view}

    @pages.get("/library/waiting")
    def page() -> str:
        answer = handle()
        copies = page_of(answer.view, request.args.get("page"))
        return render_template("waiting_lists/page.html", copies=copies, now=now(), position=answer.position)

    return blueprint
