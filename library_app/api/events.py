"""`/api/events`: the log for programs."""

import json
from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_smorest import Blueprint  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
from marshmallow import Schema, fields

from eventstore import EventStore, SequencedEvent
from library_app.event_log import LogQuestionSchema, find_event, question_of, read_page
from library_app.problems import RequestRefused
from slices.blueprints import SliceBlueprint


class EventSchema(Schema):
    """A stored event."""

    sequence_number = fields.Integer(data_key="SequenceNumber")
    event_id = fields.UUID(data_key="EventID")
    event_type = fields.String(data_key="EventType")
    occurred_at = fields.DateTime(data_key="OccurredAt")
    payload = fields.Dict(data_key="Payload")
    metadata = fields.Dict(data_key="Metadata")


class LogPageSchema(Schema):
    """A page of the log, newest event first."""

    position = fields.Integer(
        data_key="Position",
        metadata={"description": "The newest event of the store when the page was read."},
    )
    events = fields.Nested(EventSchema(many=True), data_key="Events")
    older = fields.String(data_key="Older", allow_none=True, metadata={"description": "Address of the next page."})
    newer = fields.String(data_key="Newer", allow_none=True, metadata={"description": "Address of the page above."})


def blueprint(store: EventStore) -> SliceBlueprint:
    """The routes."""
    routes: Any = Blueprint("events", __name__, url_prefix="/api/events")

    def list_events(loaded: Mapping[str, Any]) -> dict[str, Any]:
        """The log, newest event first.

        Filters are joined by AND. Follow Older until it is null; Newer polls for what came since, or is null on the
        first page.
        """
        page = read_page(store, question_of(loaded))
        return {
            "position": page.position,
            "events": [_as_json(event) for event in page.events],
            "older": _address(loaded, before=page.older),
            "newer": _address(loaded, after=page.newer),
        }

    def get_event(number: int) -> dict[str, Any]:
        """One event by its sequence number."""
        found = find_event(store, number)
        if found is None:
            raise RequestRefused(404, f"There is no event {number}.")
        return _as_json(found.event)

    page = routes.arguments(LogQuestionSchema, location="query", unknown="raise")(
        routes.response(200, LogPageSchema)(list_events)
    )
    event = routes.alt_response(404, response="NOT_FOUND")(routes.response(200, EventSchema)(get_event))
    page, event = (routes.alt_response(503, response="SERVICE_UNAVAILABLE")(view) for view in (page, event))
    routes.add_url_rule("", "list_events", page, tags=["Events"])
    routes.add_url_rule("/<int:number>", "get_event", event, tags=["Events"])
    return routes


def _as_json(event: SequencedEvent) -> dict[str, Any]:
    return {
        "sequence_number": event.sequence_number,
        "event_id": event.event_id,
        "event_type": event.event_type,
        "occurred_at": event.occurred_at,
        "payload": json.loads(event.payload),
        "metadata": json.loads(event.metadata),
    }


def _address(loaded: Mapping[str, Any], **position: Any) -> str | None:
    if None in position.values():
        return None
    kept = question_of(loaded)
    chosen: dict[str, Any] = {"type": loaded.get("event_type"), "limit": loaded.get("limit"), **kept.ids, **position}
    return url_for("events.list_events", **{name: value for name, value in chosen.items() if value is not None})
