"""GET /api/lending/canceled-readers for programs, /library/readers/canceled for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.canceled_readers.project import CanceledReader
from slices.paging import page_of
from slices.questions import Answer


class CanceledReaderView(View):
    """Somebody who may no longer borrow books."""

    reader_id = fields.String()
    name = fields.String()
    canceled_at = fields.AwareDateTime()


class CanceledReadersView(AnswerView):
    """Every reader who has no contract any more."""

    readers = many(CanceledReaderView)


def blueprint(handle: Callable[[], Answer[tuple[CanceledReader, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/canceled-readers", CanceledReadersView)
    def api() -> dict[str, Any]:
        """Every reader who has no contract any more, by the time it ended."""
        answer = handle()
        return {"position": answer.position, "readers": answer.view}

    @pages.get("/library/readers/canceled")
    def page() -> str:
        answer = handle()
        readers = page_of(answer.view, request.args.get("page"))
        return render_template("canceled_readers/page.html", readers=readers, position=answer.position)

    return blueprint
