"""`/glass/stream`: new events as server-sent events while there is room, else as short answers.

The browser need not know which of the two it got: both are an event stream, and after a short one it asks again, with
the number of the event that it has seen last (https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

import json
import logging
import random
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from eventstore import EventStore, EventStoreError, SequencedEvent
from eventstore.filters import HIGHEST_POSITION
from library_app.event_words import event_family, event_words
from library_app.glass.events import ShownEvent
from library_app.glass.live import LiveEvents, LiveReader, events_after

LIFETIME: Final = 300.0
"""Seconds after which a stream ends by itself, so that workers can be replaced; the browser comes back."""
HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that nobody in between thinks the connection dead."""
LOOK_UP: Final = 1.0
"""Seconds after which a stream looks whether somebody still listens."""
PATIENCE: Final = 20.0
"""Seconds that a client has to take what is sent to it; after that its thread is for others again."""
COME_BACK: Final = 1_000
"""Milliseconds until the browser comes back after a stream has ended."""
ASK_AGAIN: Final = (2_500, 4_500)
"""Milliseconds until it asks again after a short answer: each waits otherwise, so that they do not come together."""

_log = logging.getLogger(__name__)

_NOT_A_POSITION: Final = "A position in the log, please: the number of the event seen last."


class _StreamQuestionSchema(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such setting."}  # noqa: RUF012 (marshmallow's own way)

    after = fields.Integer(
        strict=False,
        validate=validate.Range(0, HIGHEST_POSITION - 1, error=_NOT_A_POSITION),
        error_messages={"invalid": _NOT_A_POSITION, "too_large": _NOT_A_POSITION},
    )


def blueprint(store: EventStore, live: LiveEvents, clock: Callable[[], float] = time.monotonic) -> Blueprint:
    """The route.

    Args:
        store: answers those who ask once.
        live: lets in those who stay.
        clock: seconds that pass, for the lifetime and the heartbeat of a stream.
    """
    routes = Blueprint("glass_stream", __name__, url_prefix="/glass")

    @routes.get("/stream")
    def stream() -> ResponseReturnValue:
        try:
            after = _seen_last()
        except ValidationError as refused:
            return jsonify(errors=cast("Any", refused).messages), 422
        if _accepted() == "application/json":
            events, position = events_after(store, after)
            return jsonify(events=[shown(event) for event in events], position=position)
        # Nobody reads the answer to HEAD, so it does not take somebody's place.
        reader = None if request.method == "HEAD" else live.join(after)
        if reader is None:
            events, position = events_after(store, after)
            pause = random.randint(*ASK_AGAIN)  # noqa: S311 (nothing secret)
            return _event_stream([_retry(pause), _messages(events, position, "position-for-now")])
        answer = _event_stream(_as_it_happens(reader, clock, _somebody_listens(request.environ)))
        answer.call_on_close(reader.close)  # also if nothing was ever taken from the generator
        return answer

    return routes


def _accepted() -> str:
    return request.accept_mimetypes.best_match(("application/json", "text/event-stream"), default="application/json")


def shown(event: SequencedEvent) -> dict[str, Any]:
    """An event as the strip shows it, ready for JSON."""
    seen = ShownEvent.of(event)
    return {
        "number": seen.number,
        "type": seen.event_type,
        "words": event_words(seen.event_type),
        "family": event_family(seen.event_type),
        "ids": seen.ids,
        "time": seen.occurred_at.isoformat(),
        "moment": seen.occurred_at.strftime("%d %b, %H:%M:%S"),
    }


def _seen_last() -> int | None:
    """What the browser has seen last: the header of a connection that comes back counts before the address."""
    given = request.args.to_dict()
    resumed = request.headers.get("Last-Event-ID", "")
    if resumed:
        given["after"] = resumed
    loaded = cast("dict[str, int]", _StreamQuestionSchema().load(given))
    return loaded.get("after")


def _as_it_happens(
    reader: LiveReader, clock: Callable[[], float], somebody_listens: Callable[[], bool]
) -> Iterator[bytes]:
    began = last_sent = clock()
    yield _retry(COME_BACK)
    is_complete = False
    while somebody_listens() and clock() - began < LIFETIME:
        try:
            events = reader.wait(LOOK_UP if is_complete else 0)
        except EventStoreError as reason:
            _log.warning("a live stream ends: %s", reason)
            return
        if events is None:
            return
        # The position is told once: what was there before is complete, and whatever follows is new.
        position = None if is_complete or reader.is_behind else reader.position
        if events or position is not None:
            last_sent = clock()
            yield _messages(events, position)
            is_complete = is_complete or position is not None
        elif clock() - last_sent >= HEARTBEAT:
            last_sent = clock()
            yield b": still here\n\n"


def _messages(events: Iterable[SequencedEvent], position: int | None, name: str = "position") -> bytes:
    # JSON in ASCII has no line breaks, so a message is one line, whatever the payload holds.
    lines = [f"id: {event.sequence_number}\ndata: {json.dumps(shown(event))}\n\n" for event in events]
    if position is not None:
        lines.append(f"id: {position}\nevent: {name}\ndata: {position}\n\n")
    return "".join(lines).encode("ascii")


def _retry(milliseconds: int) -> bytes:
    return f"retry: {milliseconds}\n\n".encode("ascii")


def _event_stream(parts: Iterable[bytes]) -> Response:
    # nginx, for one, would wait until its buffer is full.
    return Response(parts, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _somebody_listens(environ: dict[str, Any]) -> Callable[[], bool]:
    """A look at the connection: a browser that has gone on to another page frees its place at once.

    A client that stops reading, without going, is left after a while.
    """
    connection = environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return lambda: True
    connection.settimeout(PATIENCE)
    poll = select.poll()
    poll.register(connection, select.POLLIN)

    def look() -> bool:
        try:
            return not poll.poll(0) or connection.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            return False

    return look
