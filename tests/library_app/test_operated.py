"""The app as it is operated: several workers, one of which is killed, and an end that breaks nobody's request."""

import http.client
import json
import os
import signal
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from tests.library_app.library import COPY, LEND, RETURN
from tests.library_app.production import Production, production
from tests.library_app.test_metrics import numbers_in
from tests.library_app.waiting import LONGEST_WAIT, ended, eventually

CLIENTS = 6
BEFORE_THE_END = 4
"""Commands that each client has had answered when the app is told to end."""


@dataclass
class Operated:
    """The app, with what it logs and where it keeps what is temporary."""

    app: Production
    log: Path
    temporary: Path

    def lines(self) -> list[dict[str, Any]]:
        """What was logged: all of it is JSON."""
        whole, _, _ = self.log.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def workers(self) -> set[int]:
        """The processes that have answered requests."""
        return {line["process"] for line in self.lines() if line["logger"] == "library_app.requests"}

    def numbers(self) -> dict[tuple[str, ...], float]:
        """What Prometheus is told."""
        return numbers_in(fetched(f"{self.app.address}/metrics"))


@pytest.fixture
def operated(dsn: str, tmp_path: Path) -> Iterator[Operated]:
    log, temporary = tmp_path / "log", tmp_path / "temporary"
    temporary.mkdir()
    settings = {"LIBRARY_LOG": "json", "LIBRARY_METRICS": "yes", "LIBRARY_DRAIN_SECONDS": "1", "TMPDIR": str(temporary)}
    with production(dsn, log, **settings) as app:
        yield Operated(app, log, temporary)


def fetched(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=LONGEST_WAIT) as answer:
        text: str = answer.read().decode()
        return text


def test_workers_count_together_and_one_that_is_killed_is_replaced(operated: Operated) -> None:
    asked = 0

    def both_have_answered() -> bool:
        nonlocal asked
        asked += 1
        fetched(f"{operated.app.address}/api/events?limit=1")
        return len(operated.workers()) == 2

    eventually(both_have_answered, "both workers have answered")
    counted = ("library_request_seconds_count", "GET", "/api/events", "200")
    assert operated.numbers()[counted] == asked
    head = json.loads(fetched(f"{operated.app.address}/api/events?limit=1"))["Position"]
    eventually(lambda: operated.numbers().get(("library_head_position",)) == head, "the head is known")
    assert operated.numbers()["library_pool_connections", "most"] == 16

    killed = min(operated.workers())
    os.kill(killed, signal.SIGKILL)

    def another_has_answered() -> bool:
        # The one that was killed may take a connection with it.
        try:
            fetched(f"{operated.app.address}/api/events?limit=1")
        except (urllib.error.URLError, OSError, http.client.HTTPException):
            return False
        return len(operated.workers()) == 3

    eventually(another_has_answered, "another process answers in its place")
    assert operated.numbers()[counted] > asked, "what it had counted is still counted"
    eventually(lambda: operated.numbers().get(("library_pool_connections", "most")) == 16, "its pool is not")
    assert "/evil" not in fetched(f"{operated.app.address}/", **{"SCRIPT_NAME": "/evil", "X-Forwarded-Proto": "https"})


@dataclass
class Client:
    """Lends a copy of its own and takes it back, again and again, on one connection, until the app closes it.

    Attributes:
        written: the numbers of the events that it was told of.
        answered: released after each command.
        broken: what went wrong.
    """

    address: str
    written: list[int] = field(default_factory=list)
    answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    broken: list[str] = field(default_factory=list)

    def run(self) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=LONGEST_WAIT)
        book, reader = str(uuid.uuid4()), str(uuid.uuid4())
        self._send("lending/add-book-copy-to-circulation", {**COPY, "BookID": book})
        self._send("lending/register-reader", {"ReaderID": reader, "Name": "Ann"})
        routes = (LEND, RETURN)
        turn = 0
        while not self.broken and self._send(routes[turn % 2], {"BookID": book, "ReaderID": reader}):
            turn += 1
        self._connection.close()

    def _send(self, route: str, body: dict[str, Any]) -> bool:
        """Send a command, and say whether the connection is still there for another."""
        try:
            self._connection.request("POST", f"/api/{route}", json.dumps(body), {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.broken.append(repr(error))
            return False
        if answer.status != 201:
            self.broken.append(f"{answer.status}: {text!r}")
            return False
        self.written += [event["SequenceNumber"] for event in json.loads(text)["Events"]]
        self.answered.release()
        return answer.getheader("Connection") != "close"


def follow(address: str, is_over: threading.Event, begun: threading.Event) -> None:
    """Follow what happens until the app ends the stream, in good order."""
    headers = {"Accept": "text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/glass/stream", headers=headers)) as answer:
        answer.readline()
        begun.set()
        answer.read()
    is_over.set()


def test_an_end_loses_no_append_and_breaks_no_request(operated: Operated) -> None:
    address = operated.app.address
    begun, stream_is_over = threading.Event(), threading.Event()
    follower = threading.Thread(target=follow, args=(address, stream_is_over, begun), daemon=True)
    follower.start()
    assert begun.wait(LONGEST_WAIT)
    clients = [Client(address) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(client.run) for client in clients]
        for client in clients:
            assert all(client.answered.acquire(timeout=LONGEST_WAIT) for _ in range(BEFORE_THE_END)), client.broken
        operated.app.process.terminate()
        eventually(lambda: ready(address) == 503, "not ready any more, and still there to say so")
        assert not stream_is_over.is_set(), "requests go on as before while load balancers take notice"
        for each in running:
            each.result(LONGEST_WAIT)
    assert [client.broken for client in clients] == [[]] * CLIENTS
    assert operated.app.process.wait(LONGEST_WAIT) == 0
    ended(follower, "the live stream")
    assert stream_is_over.is_set()

    told = {number for client in clients for number in client.written}
    with open_pool(operated.app.dsn) as pool:
        stored = {
            event.sequence_number for event in PostgresEventStore(pool).stream(FilterBuilder().matching_any_event())
        }
    assert len(told) > CLIENTS * BEFORE_THE_END
    assert told <= stored
    lines = operated.lines()
    assert not [line for line in lines if line["level"] in ("warning", "error", "critical")]
    assert not list(operated.temporary.iterdir()), "nothing temporary is left"


def ready(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=LONGEST_WAIT) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    return status
