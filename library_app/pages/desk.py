"""`/library/desk`: pick a reader, scan or pick copies, lend and return. A librarian has it open all day."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from library_app.pages import shelf
from library_app.pages.shelf import Copy, Shelf
from slices.fields import Id
from slices.lending.limits import MOST_COPIES_PER_READER
from slices.questions import Questions

_MOST_SUGGESTIONS: Final = 300
_MOST_FOUND: Final = 12
_MOST_CANDIDATES: Final = 50


def blueprint(questions: Questions) -> Blueprint:
    """The route."""
    routes = Blueprint("desk", __name__)

    @routes.get("/library/desk")
    def desk() -> ResponseReturnValue:
        view = questions.ask(shelf.BOUNDARY, shelf.project).view
        typed = request.args.get("reader", "").strip()
        reader_id = _id_or_none(request.args.get("ReaderID", "")) or _id_or_none(typed)
        if reader_id is not None and reader_id in view.readers:
            return _desk_of(view, reader_id, request.args.get("q", "").strip())
        candidates = _readers_called(view, typed) if typed and reader_id is None else []
        if len(candidates) == 1:
            return redirect(url_for("desk.desk", ReaderID=candidates[0][0]))
        error = ""
        if reader_id is not None or (typed and not candidates):
            error = "No reader with a contract is like that."
        page = render_template(
            "pages/desk.html",
            values={"reader": typed},
            errors={"reader": error} if error else {},
            candidates=candidates[:_MOST_CANDIDATES],
            more=max(0, len(candidates) - _MOST_CANDIDATES),
            readers=sorted(view.readers.items(), key=lambda entry: entry[1].casefold())[:_MOST_SUGGESTIONS],
        )
        return page, 422 if error else 200

    return routes


def _desk_of(view: Shelf, reader_id: str, searched: str) -> str:
    found = _matching(view.free, searched) if searched else []
    return render_template(
        "pages/desk_of_reader.html",
        reader_id=reader_id,
        name=view.readers[reader_id],
        loans=view.lent_to(reader_id),
        held=view.held_for(reader_id),
        quota=MOST_COPIES_PER_READER,
        free=view.free[:_MOST_SUGGESTIONS],
        values={"q": searched},
        found=found[:_MOST_FOUND],
        more=max(0, len(found) - _MOST_FOUND),
        next=url_for("desk.desk", ReaderID=reader_id),
    )


def _matching(copies: list[Copy], searched: str) -> list[Copy]:
    words = searched.casefold().split()
    return [
        copy
        for copy in copies
        if all(word in f"{copy.title} {copy.authors} {copy.isbn} {copy.book_id}".casefold() for word in words)
    ]


def _readers_called(view: Shelf, typed: str) -> list[tuple[str, str]]:
    wanted = typed.casefold()
    exact = [entry for entry in view.readers.items() if entry[1].casefold() == wanted]
    found = exact or [entry for entry in view.readers.items() if wanted in entry[1].casefold()]
    return sorted(found, key=lambda entry: entry[1].casefold())


def _id_or_none(text: str) -> str | None:
    try:
        return Id().clean(text) if text else None
    except ValidationError:
        return None
