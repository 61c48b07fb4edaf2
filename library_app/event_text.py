"""An event on one line of a terminal."""

import json
from typing import Any, Final, cast

import click

from eventstore import SequencedEvent
from library_app.event_words import ID_KEYS, event_family

_COLOURS: Final = {
    "circulation": "blue",
    "lending": "cyan",
    "reader": "magenta",
    "course": "yellow",
    "enrolment": "green",
    "failure": "red",
}
_SHOWN: Final = (*ID_KEYS, "FailureInfo")
"""What ties an event into dynamic streams, and why a command failed."""


def event_text(event: SequencedEvent) -> str:
    """Number, time, type and ids, in colours that `click.echo` leaves out where nobody could see them.

    >>> click.unstyle(event_text(event))
    '#12  2026-03-14T12:00:00.000Z  BookCopyLentToReader  BookID=…  ReaderID=…'
    """
    payload = cast("dict[str, Any]", json.loads(event.payload))
    facts = [f"{key}={_printable(str(payload[key]))}" for key in _SHOWN if key in payload]
    moment = event.occurred_at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
    kind = click.style(_printable(event.event_type), fg=_COLOURS.get(event_family(event.event_type)), bold=True)
    return "  ".join([f"#{event.sequence_number}", click.style(moment, dim=True), kind, *facts])


def _printable(text: str) -> str:
    """What a log holds shall not command the terminal."""
    return text if text.isprintable() else ascii(text)
