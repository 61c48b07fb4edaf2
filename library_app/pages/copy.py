"""`/library/books/<BookID>`: one copy, who has it, who waits for it, and its whole history."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, abort, render_template

from eventstore import EventStore, FilterBuilder, P
from library_app.glass.events import ShownEvent
from library_app.pages import shelf
from slices.codec import decode
from slices.lending.events import ReaderRegistered
from slices.questions import Questions

_NEWEST: Final = 100
"""Events of its history that the page of a copy shows."""


def blueprint(store: EventStore, questions: Questions, clock: Callable[[], datetime]) -> Blueprint:
    """The route. The clock tells whether a hold is past its time."""
    routes = Blueprint("copy", __name__)

    @routes.get("/library/books/<uuid:book_id>")
    def copy(book_id: UUID) -> str:
        history = store.query(FilterBuilder().matching().any_predicate_of(P("BookID", str(book_id))).finalize())
        relevant = (decode(event) for event in history if shelf.BOUNDARY.matches(event))
        # What the boundary matches is what `project` takes; a test holds them together.
        found = shelf.project(relevant).copies.get(str(book_id))  # type: ignore[arg-type]
        if found is None:
            abort(404)
        shown = [ShownEvent.of(event) for event in reversed(history.events[-_NEWEST:])]
        readers = {event.ids["ReaderID"] for event in shown if "ReaderID" in event.ids}
        readers |= {*found.waiting.readers, *filter(None, [found.lent_to])}
        return render_template(
            "pages/copy.html",
            copy=found,
            events=shown,
            names=_names_of(questions, readers),
            now=clock(),
            earlier=len(history) - len(shown),
        )

    return routes


def _names_of(questions: Questions, reader_ids: set[str]) -> dict[str, str]:
    """What readers are called, with or without a contract now."""
    if not reader_ids:
        return {}
    first, *more = [P("ReaderID", reader_id) for reader_id in sorted(reader_ids)]
    item = FilterBuilder().matching().any_event_type_of(ReaderRegistered.TYPE)
    return questions.ask(item.and_any_predicate_of(first, *more).finalize(), _names).view


def _names(registrations: Iterable[ReaderRegistered]) -> dict[str, str]:
    return {registered.reader_id: registered.name for registered in registrations}
