"""The log: a line for people or a JSON object for programs, on stderr, for everything that happens in a process."""

import logging
import re
import sys
import threading
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from library_app.operations.watching import AnsweredRequest, CarriedOut, about_the_request

_OURS: Final = ("library_app", "slices", "eventstore", "gunicorn.error")
_QUIET: Final = ("/health/", "/metrics", "/static/")
"""Beginnings of routes that machines ask all day: told of at debug level."""

_ADDRESS: Final = re.compile(r"""[^\s"'\\<>()\[\]{},;:=&?/|]+(?:@|%40)[^\s"'\\<>()\[\]{},;:=&?/|]+""")
_QUERY: Final = re.compile(r"""\?[^\s"']*""")
_requests: Final = logging.getLogger("library_app.requests")
_threads: Final = logging.getLogger("library_app.threads")


def configure_logs(kind: str, level: str) -> None:
    """Send all that is logged in this process, and in those that it forks, to stderr.

    Args:
        kind: "text" or "json".
        level: what is logged at least of our own; of other libraries nothing below a warning.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    at_least = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(force=True, handlers=[handler], level=max(at_least, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(at_least)
    logging.captureWarnings(True)
    threading.excepthook = _log_the_end_of_a_thread


def log_request(answered: AnsweredRequest) -> None:
    """Tell of a request: which, how it ended, how long it took, and what was decided."""
    level = logging.DEBUG if answered.route.startswith(_QUIET) else logging.INFO
    if not _requests.isEnabledFor(level):
        return
    milliseconds = round(answered.seconds * 1000, 1)
    fields: dict[str, Any] = {"status": answered.status, "duration_ms": milliseconds}
    words = f"{answered.method} {answered.route} {answered.status} in {milliseconds} ms"
    for command in answered.commands:
        fields |= _fields(command)
        words += f": {command.slice} {command.reason or command.decision}"
    _requests.log(level, "%s", words, extra={"fields": fields})


def _fields(command: CarriedOut) -> dict[str, Any]:
    fields = {
        "slice": command.slice,
        "decision": command.decision,
        "events": [event.sequence_number for event in command.events],
        "attempts": len(command.report.attempts),
    }
    return fields | ({"reason": command.reason} if command.reason else {})


class JsonLines(logging.Formatter):
    """One object per line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "process": record.process,
            **about_the_request(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _without_addresses(msgspec.json.encode(fields).decode())


class TextLines(logging.Formatter):
    """For people: the time of day, the level, the words, and the id of the request where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        about = about_the_request()
        request = f"  [{about['request_id']}]" if about else ""
        line = f"{datetime.fromtimestamp(record.created):%H:%M:%S} {record.levelname:7} {_message(record)}{request}"  # noqa: DTZ006 - the clock on the wall
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return _without_addresses(line)


def _message(record: logging.LogRecord) -> str:
    """The words, in one line; what was asked for in the address of a request stays out of those of the web server."""
    words = " ".join(record.getMessage().split())
    return _QUERY.sub("?…", words) if record.name.startswith("gunicorn") else words


def _without_addresses(line: str) -> str:
    """An address may come along in the message of an error, whoever made it: this is the last door on its way out."""
    if "@" not in line and "%40" not in line:  # as in nearly every line
        return line
    return _ADDRESS.sub("(address)", line)


def _log_the_end_of_a_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not issubclass(ended.exc_type, SystemExit):
        name = "?" if ended.thread is None else ended.thread.name
        _threads.error("the thread %s has ended", name, exc_info=ended.exc_value)
