"""What a request has written whose answer nobody recorded, because its process died in between.

The log is asked for the events of the very moment that the claim had recorded; those of the request are recognised by
their ids, which are made from route, key and index.
"""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from eventstore import EventStore, FilterBuilder, SequencedEvent
from library_app.event_words import event_family, event_words
from slices.decision import Rejection
from slices.origin import Origin
from slices.web import JsonAnswer

_MOST_EVENTS_OF_A_COMMAND: Final = 16


def answer_from_log(
    store: EventStore, occurred_at: datetime, origin: Origin, ids: Collection[str]
) -> JsonAnswer | None:
    """The answer that the request would have got, or None if it has written nothing.

    Args:
        store: holds what the request has written.
        occurred_at: when the command happened.
        origin: gave the events their ids.
        ids: the keys of the command's own ids. An event may have others too: that a hold has ended names the reader,
            whom the command did not know.
    """
    own = {origin.event_id(index) for index in range(_MOST_EVENTS_OF_A_COMMAND)}
    moment = FilterBuilder().occurred_from(occurred_at).occurred_until(occurred_at).finalize()
    events = [event for event in store.query(moment) if event.event_id in own]
    if not events:
        return None
    payload: dict[str, Any] = json.loads(events[0].payload)
    body = {
        **{key: value for key, value in payload.items() if key in ids},
        "Events": [{"SequenceNumber": event.sequence_number, "EventType": event.event_type} for event in events],
    }
    if event_family(events[0].event_type) == "failure":
        return 409, {**_rejection(events[0], payload), "Outcome": "rejected", **body}
    return 201, {"Outcome": "appended", **body}


def _rejection(event: SequencedEvent, payload: dict[str, Any]) -> dict[str, Any]:
    name = str(payload.get("FailureInfo", ""))
    message = next((reason.message for reason in Rejection.__subclasses__() if reason.name == name), "")
    return {
        "type": f"urn:dynamic-event-streams:rejection:{name}",
        "title": event_words(name),
        "status": 409,
        "detail": message,
        "reason": name,
        "failure_event": event.sequence_number,
    }
