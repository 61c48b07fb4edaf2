"""GET /api/lending/registered-readers for programs, /library/readers for people."""

from collections.abc import Callable
from typing import Any

from flask import render_template, request
from marshmallow import fields

from slices.blueprints import SliceBlueprint, question, slice_blueprint
from slices.fields import AnswerView, View, many
from slices.lending.registered_readers.project import RegisteredReader
from slices.paging import fitting, page_of
from slices.questions import Answer


class RegisteredReaderView(View):
    """Somebody who may borrow books."""

    reader_id = fields.String()
    name = fields.String()
    registered_at = fields.AwareDateTime()


class RegisteredReadersView(AnswerView):
    """Every reader who is registered now."""

    readers = many(RegisteredReaderView)


def blueprint(handle: Callable[[], Answer[tuple[RegisteredReader, ...]]]) -> SliceBlueprint:
    """The routes of this slice."""
    blueprint, pages = slice_blueprint(__name__)

    @question(blueprint, "/api/lending/registered-readers", RegisteredReadersView)
    def api() -> dict[str, Any]:
        """Every reader who is registered now, in the order of registration."""
        answer = handle()
        return {"position": answer.position, "readers": answer.view}

    @pages.get("/library/readers")
    def page() -> str:
        answer = handle()
        typed = request.args.get("q", "").strip()
        found = fitting(answer.view, typed, lambda reader: f"{reader.name} {reader.reader_id}")
        return render_template(
            "registered_readers/page.html",
            readers=page_of(found, request.args.get("page")),
            typed=typed,
            registered=len(answer.view),
            position=answer.position,
        )

    return blueprint
