"""`/glass/events`: the log, and one event whole."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from eventstore import EventStore, SequencedEvent
from library_app.event_log import LogQuestion, LogQuestionSchema, find_event, question_of, read_page
from library_app.event_words import FAMILY_OF, ID_KEYS, event_words


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """An event as pages show it.

    Attributes:
        ids: the pairs that tie it into dynamic streams.
        facts: what else it says, without the time, which is shown anyway.
    """

    number: int
    event_type: str
    occurred_at: datetime
    ids: dict[str, str]
    facts: dict[str, Any]

    @classmethod
    def of(cls, event: SequencedEvent) -> "ShownEvent":
        """Read the payload, whatever it is: the log is shown even where no slice understands it."""
        payload: dict[str, Any] = json.loads(event.payload)
        ids: dict[str, str] = {key: str(payload[key]) for key in ID_KEYS if key in payload}
        facts = {key: value for key, value in payload.items() if key not in ids and key != "OccurredAt"}
        return cls(event.sequence_number, event.event_type, event.occurred_at, ids, facts)


def blueprint(store: EventStore) -> Blueprint:
    """The routes."""
    routes = Blueprint("glass", __name__, url_prefix="/glass")

    @routes.get("/events")
    def events() -> ResponseReturnValue:
        given = {name: value.strip() for name, value in request.args.items() if value.strip()}
        try:
            question = question_of(cast("dict[str, Any]", LogQuestionSchema().load(given)))
        except ValidationError as refused:
            return _log_page(given, errors=cast("Any", refused).messages), 422
        page = read_page(store, question)
        return _log_page(
            given,
            events=[ShownEvent.of(event) for event in page.events],
            position=page.position,
            newest=url_for("glass.events", **_filters(given)),
            older=page.older and url_for("glass.events", **_filters(given), before=page.older),
            newer=page.newer and url_for("glass.events", **_filters(given), after=page.newer),
            filtered=question.boundary != LogQuestion().boundary,
            boundary=str(question.boundary),
        )

    @routes.get("/events/<int:number>")
    def event(number: int) -> str:
        found = find_event(store, number)
        if found is None:
            abort(404)
        return render_template(
            "glass/event.html",
            shown=ShownEvent.of(found.event),
            event=found.event,
            payload=_pretty(found.event.payload),
            metadata=_pretty(found.event.metadata),
            previous=found.previous,
            following=found.following,
        )

    return routes


def _log_page(given: dict[str, str], **context: Any) -> str:
    types = [("", "every type"), *((event_type, event_words(event_type)) for event_type in FAMILY_OF)]
    defaults: dict[str, Any] = {"events": [], "errors": {}}
    return render_template("glass/events.html", **{**defaults, **context}, values=given, types=types, id_keys=ID_KEYS)


def _filters(given: dict[str, str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in ("before", "after")}


def _pretty(document: bytes) -> str:
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
