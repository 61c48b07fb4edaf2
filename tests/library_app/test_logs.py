"""A line of the log is one JSON object that says which request it is about, and nothing that is nobody's business."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventstore import (
    ConcurrencyConflict,
    ConflictingEvent,
    InMemoryEventStore,
    StorableEvent,
    StoreUnavailable,
)
from library_app import Config, create_app
from library_app.operations.logs import JsonLines, TextLines, configure_logs
from library_app.operations.watching import AnsweredRequest, WatchedCommandLoop, install_watching
from slices.command_loop import Patience, TooMuchContention
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.handler import RegisterReaderHandler
from slices.origin import Origin
from tests.library_app.library import BOOK, LEND, OTHER, READER
from tests.wrapped_store import WrappedStore

ADDRESS = "Ann.Secret@Example.org"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged, at every level, as JSON."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root, ours = logging.getLogger(), logging.getLogger("library_app")
    levels = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def lines(written: io.StringIO) -> Lines:
    """What was logged since the last call."""

    def new() -> list[dict[str, Any]]:
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    return new


def test_a_command_is_one_line_with_its_route_and_its_decision(post: Any, library: None, lines: Lines) -> None:
    lines()
    answer = post(LEND, {"BookID": BOOK, "ReaderID": READER}, **{"X-Request-ID": "proxy-7"})
    [line] = lines()
    assert answer.headers["X-Request-ID"] == "proxy-7"
    told = {name: line[name] for name in ("level", "logger", "method", "route", "status", "request_id")}
    assert told == {
        "level": "info",
        "logger": "library_app.requests",
        "method": "POST",
        "route": f"/api/{LEND}",
        "status": 201,
        "request_id": "proxy-7",
    }
    assert line["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert line["duration_ms"] >= 0
    [event] = answer.json["Events"]
    decided = ("lending/lend_book_to_reader", "appended", [event["SequenceNumber"]], 1)
    assert (line["slice"], line["decision"], line["events"], line["attempts"]) == decided


def test_a_refusal_tells_its_reason(post: Any, library: None, lines: Lines) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": READER})
    post(LEND, {"BookID": BOOK, "ReaderID": READER})
    post(LEND, {"BookID": BOOK, "ReaderID": OTHER})
    *_, again, refused = lines()
    assert (again["decision"], again["status"], again["events"]) == ("nothing", 200, [])
    assert (refused["decision"], refused["reason"], refused["status"]) == ("rejected", "BookAlreadyLent", 409)


@pytest.mark.parametrize("sent", ["", "two words", f"from {ADDRESS}", "x" * 129, "naïve"])
def test_an_id_that_no_proxy_would_make_is_replaced(client: FlaskClient, lines: Lines, sent: str) -> None:
    answer = client.get("/api/events", headers={"X-Request-ID": sent})
    [line] = lines()
    assert line["request_id"] == answer.headers["X-Request-ID"] != sent
    assert len(line["request_id"]) == 36


def test_the_rule_is_told_and_never_the_values(client: FlaskClient, lines: Lines) -> None:
    client.get(f"/library/readers/{READER}?find={ADDRESS}")
    client.get(f"/nowhere/{ADDRESS}?q={ADDRESS}")
    client.open("/", method="BREW")
    client.get("/as-of/0/library/books")
    client.get("/static/app.css").close()
    told = lines()
    assert [(line["method"], line["route"], line["level"]) for line in told] == [
        ("GET", "/library/readers/<uuid:reader_id>", "info"),
        ("GET", "(none)", "info"),
        ("OTHER", "(none)", "info"),
        ("GET", "/library/books", "info"),
        ("GET", "/static/<path:filename>", "debug"),
    ]
    assert told[3]["as_of"] == 0
    assert "secret" not in json.dumps(told).lower()


class Breaking(InMemoryEventStore):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def query(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError, lambda words: StoreUnavailable(words, outcome_unknown=False)])
def test_an_error_is_one_line_with_its_traceback_and_without_the_address_in_it(
    config: Config, written: io.StringIO, lines: Lines, error: Callable[[str], Exception]
) -> None:
    app = create_app(Breaking(error(f"no {ADDRESS} at\npostgresql://app:hunter2@db/x")), config=config)
    app.testing = False
    fields = {"ReaderID": READER, "Name": "Ann", "Email": ADDRESS}
    answer = app.test_client().post("/api/lending/register-reader", json=fields)
    text = written.getvalue()
    failed, told = lines()
    assert failed["request_id"] == told["request_id"] == answer.headers["X-Request-ID"]
    assert failed["route"] == told["route"] == "/api/lending/register-reader"
    if answer.status_code == 500:
        assert failed["level"] == "error"
        assert "Traceback (most recent call last)" in failed["exception"]
        assert "RuntimeError: no (address) at" in failed["exception"]
    for secret in ("secret@example", "hunter2", "%40"):
        assert secret not in text.lower()


def test_the_web_server_tells_no_query_string(lines: Lines) -> None:
    log = logging.getLogger("gunicorn.error")
    log.propagate = True
    log.error("Error handling request %s %s", "GET", "/library/readers?find=Ann%20Secret&x=1")
    assert lines()[0]["message"] == "Error handling request GET /library/readers?…"


class Contended(WrappedStore):
    """Somebody else is always quicker."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise ConcurrencyConflict(ConflictingEvent(9, "A", first.event_id), "an item", 8, 9)


def test_a_command_that_is_given_up_is_told_of(memory: InMemoryEventStore, noon: datetime) -> None:
    loop = WatchedCommandLoop(Contended(memory), Patience(attempts=2), sleep=lambda _: None)
    answered = list[AnsweredRequest]()
    app = Flask(__name__)
    install_watching(app, [answered.append])

    @app.post("/register")
    def register() -> str:
        with pytest.raises(TooMuchContention):
            RegisterReaderHandler(loop).handle(RegisterReader(READER, "Ann", noon), Origin.new())
        return "given up"

    app.test_client().post("/register")
    [command] = answered[0].commands
    assert (command.slice, command.decision, command.events) == ("lending/register_reader", "given up", ())
    assert len(command.report.conflicts) == 2


def test_text_is_for_people(app: Flask) -> None:
    record = logging.LogRecord("library_app", logging.WARNING, "", 0, "the %s is\nslow", ("desk",), None)
    line = TextLines().format(record)
    assert line.endswith("WARNING the desk is slow")
    with app.test_request_context(headers={"X-Request-ID": "r-1"}):
        assert TextLines().format(record) == f"{line}  [r-1]"


def test_the_level_is_that_of_our_own_and_others_are_heard_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, threading.excepthook)
    try:
        configure_logs("json", "debug")
        logging.getLogger("library_app.x").debug("ours")
        logging.getLogger("psycopg.pool").info("chatter")
        logging.getLogger("psycopg.pool").warning("trouble")

        def breaks() -> None:
            raise ValueError("broken")

        thread = threading.Thread(target=breaks, name="worker")
        thread.start()
        thread.join()
        sys.stderr.flush()
        told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        logging.captureWarnings(capture=False)
        for name in ("library_app", "slices", "eventstore", "gunicorn.error"):
            logging.getLogger(name).setLevel(logging.NOTSET)
        root.handlers[:], root.level, threading.excepthook = before
    assert [line["message"] for line in told] == ["ours", "trouble", "the thread worker has ended"]
    assert "ValueError: broken" in told[-1]["exception"]
