"""The edge between HTTP and commands: what slices need from the application, and how an outcome becomes an answer."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from flask import Response, json

from slices.decision import Append, Nothing, Reject
from slices.domain_event import json_key
from slices.grounds import Grounds
from slices.origin import Origin
from slices.outcome import Outcome, Report

C_co = TypeVar("C_co", covariant=True)
C_contra = TypeVar("C_contra", contravariant=True)

Fields: TypeAlias = dict[str, Any]
"""What a client sent, checked and normalised, by the names of the command's own fields."""

JsonAnswer: TypeAlias = tuple[int, dict[str, Any]]
"""An HTTP status and a JSON object: what an application may record for an Idempotency-Key."""


class Handle(Protocol[C_contra]):
    """The `handle` of a write slice's handler."""

    def __call__(self, command: C_contra, origin: Origin, /) -> Outcome: ...


class Make(Protocol[C_co]):
    """Makes the command of a write slice."""

    def __call__(self, fields: Fields, now: datetime, origin: Origin, /) -> C_co: ...


class CommandEdge(Protocol):
    """What a write slice needs from the application around it. `library_app` implements it."""

    def now(self) -> datetime:
        """The time at which a command happens: an aware datetime in UTC."""
        ...

    def origin(self) -> Origin:
        """A new origin with the correlation id of the current request."""
        ...

    def choices(self, key: str) -> Mapping[str, str]:
        """What people may pick for an id: its name by the id itself, in the order in which to show them.

        A slice knows ids; names are the business of other slices, which it does not know.

        Args:
            key: such as "BookID".
        """
        ...

    def decision_page(self, command: object, outcome: Outcome | None = None) -> str:
        """The address of a page that shows what a command is decided on.

        Args:
            command: of any slice.
            outcome: what became of it: then the page shows what it was decided on, attempt by attempt.
        """
        ...

    def grounds(self, command: object, outcome: Outcome) -> Grounds:
        """The events that a refusal follows from, as of what the last attempt had read.

        Args:
            command: of any slice.
            outcome: what became of it.
        """
        ...

    def keyed_hash(self, text: str) -> str:
        """The hash under which a text that nobody shall read is on record: HMAC-SHA-256 in hex.

        The key is the application's. With another key the same text has another hash.
        """
        ...

    def once(
        self,
        route: str,
        fields: Mapping[str, Any],
        ids: Collection[str],
        answer: Callable[[datetime, Origin], JsonAnswer],
    ) -> JsonAnswer:
        """Answer a JSON command, and answer it the same way if it is sent again.

        Without the header `Idempotency-Key` this is `answer(self.now(), self.origin())`. With it, a known key is looked
        up before `answer` is called: the recorded answer is returned, refusals included, and the same key with other
        fields is a 422. `answer` raises when nothing was decided (`TooMuchContention`, `StoreUnavailable`): then
        nothing is recorded. To be exact even if the process dies between append and record, the time is recorded with
        the key before `answer` is called, and the origin's event ids are made from route, key and index.

        Args:
            route: the stable name of the command, such as "lending/lend-book-to-reader".
            fields: what the client asked for, normalised, so that two spellings of one id are one request; addresses
                are hashed already.
            ids: the keys of the ids that the command has, and its answer with it, such as "BookID". If the process died
                before the answer was recorded, these are what is told of the events, which may have further ones.
            answer: decides. It may be called once.
        """
        ...


def json_answer(command: Any, outcome: Outcome) -> JsonAnswer:
    """What a program is told: 201 if something was written, 200 if nothing was to do, 409 if the rules forbid it."""
    names = (field.name for field in fields(command))
    ids = {json_key(name): getattr(command, name) for name in names if name.endswith("_id")}
    events = [{"SequenceNumber": event.sequence_number, "EventType": event.event_type} for event in outcome.events]
    body = {**ids, "Events": events, "Report": _report(outcome.report)}
    match outcome.decision:
        case Append():
            return 201, {"Outcome": "appended", **body}
        case Nothing():
            return 200, {"Outcome": "nothing", **body}
        case Reject(reason):
            problem = {
                "type": f"urn:dynamic-event-streams:rejection:{reason.name}",
                "title": re.sub(r"(?<=[a-z])(?=[A-Z])", " ", reason.name).capitalize(),
                "status": 409,
                "detail": reason.message,
                "reason": reason.name,
                "failure_event": outcome.events[0].sequence_number if outcome.events else None,
            }
            return 409, {**problem, "Outcome": "rejected", **body}


def as_response(answer: JsonAnswer) -> Response:
    """Send a JSON answer; problems have their own media type (RFC 9457)."""
    status, body = answer
    kind = "application/json" if status < 400 else "application/problem+json"
    return Response(json.dumps(body), status, mimetype=kind)


def _report(report: Report) -> dict[str, Any]:
    return {
        "Attempts": len(report.attempts),
        "ReadUpTo": report.read_up_to,
        "EventsRead": report.events_read,
        "SecondsQuerying": report.querying,
        "SecondsDeciding": report.deciding,
        "SecondsAppending": report.appending,
        "SecondsWaited": report.waited,
        "Conflicts": [
            {
                "SequenceNumber": conflict.sequence_number,
                "EventType": conflict.event_type,
                "FilterItem": conflict.filter_item,
                "After": conflict.after,
            }
            for conflict in report.conflicts
        ],
    }
