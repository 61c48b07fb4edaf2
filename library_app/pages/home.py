"""`/`: the library today."""

from typing import Final

from flask import Blueprint, render_template

from eventstore import EventStore, FilterBuilder
from library_app.glass.events import ShownEvent
from library_app.pages import shelf
from slices.questions import Questions

_NEWEST: Final = 8


def blueprint(store: EventStore, questions: Questions) -> Blueprint:
    """The route."""
    routes = Blueprint("home", __name__)

    @routes.get("/")
    def home() -> str:
        view = questions.ask(shelf.BOUNDARY, shelf.project).view
        newest = store.query(FilterBuilder().matching_any_event(), limit=_NEWEST, backwards=True)
        return render_template(
            "pages/home.html",
            free=len(view.free),
            held=len(view.held),
            lent=len(view.lent),
            readers=len(view.readers),
            events=[ShownEvent.of(event) for event in newest],
            names={**view.readers, **{copy.book_id: copy.title for copy in view.copies.values()}},
            position=newest.position,
        )

    return routes
