"""The app as it is operated: several workers, one of which is killed, and an end that breaks nobody's request."""

import http.client
import json
import os
import signal
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from tests.library_app.library import COPY, LEND, RETURN
from tests.library_app.production import Production, production
from tests.library_app.test_metrics import numbers_in
from tests.library_app.waiting import LONGEST_WAIT, ended, eventually

CLIENTS = 6
MORE = 4
"""Commands that each client has answered before something else happens."""


@dataclass
class Operated:
    """The app, with what it logs and where it keeps what is temporary."""

    served: Production
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
        return numbers_in(fetched(f"{self.served.address}/metrics"))


@contextmanager
def operated(dsn: str, folder: Path, **settings: str) -> Generator[Operated]:
    """Serve, as it is operated."""
    log, temporary = folder / "log", folder / "temporary"
    temporary.mkdir()
    always = {"LIBRARY_LOG": "json", "LIBRARY_METRICS": "yes", "TMPDIR": str(temporary)}
    with production(dsn, log, **always, **settings) as app:
        try:
            yield Operated(app, log, temporary)
        finally:
            app.process.terminate()  # after a test that has failed: to be told twice ends it at once


def fetched(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=LONGEST_WAIT) as answer:
        text: str = answer.read().decode()
        return text


def test_workers_count_together_and_one_that_is_killed_is_replaced(dsn: str, tmp_path: Path) -> None:
    with operated(dsn, tmp_path) as app:
        asked = 0

        def both_have_answered() -> bool:
            nonlocal asked
            asked += 1
            fetched(f"{app.served.address}/api/events?limit=1")
            return len(app.workers()) == 2

        eventually(both_have_answered, "both workers have answered")
        counted = ("library_request_seconds_count", "GET", "/api/events", "200")
        assert app.numbers()[counted] == asked
        head = json.loads(fetched(f"{app.served.address}/api/events?limit=1"))["Position"]
        eventually(lambda: app.numbers().get(("library_head_position",)) == head, "the head is known")
        assert app.numbers()["library_pool_connections", "most"] == 16

        killed = min(app.workers())
        os.kill(killed, signal.SIGKILL)

        def another_has_answered() -> bool:
            # The one that was killed may take a connection with it.
            try:
                fetched(f"{app.served.address}/api/events?limit=1")
            except (urllib.error.URLError, OSError, http.client.HTTPException):
                return False
            return len(app.workers()) == 3

        eventually(another_has_answered, "another process answers in its place")
        assert app.numbers()[counted] > asked, "what it had counted is still counted"
        eventually(lambda: app.numbers().get(("library_pool_connections", "most")) == 16, "its pool is not")
        assert "/evil" not in fetched(
            f"{app.served.address}/", **{"SCRIPT_NAME": "/evil", "X-Forwarded-Proto": "https"}
        )


@dataclass
class Client:
    """Lends a copy of its own and takes it back, again and again, on one connection, until the app closes it.

    Attributes:
        written: the numbers of the events that it was told of.
        broken: what went wrong.
    """

    address: str
    written: list[int] = field(default_factory=list)
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
        return answer.getheader("Connection") != "close"


def follow(address: str, is_over: threading.Event, begun: threading.Event) -> None:
    """Follow what happens until the app ends the stream, in good order."""
    headers = {"Accept": "text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/glass/stream", headers=headers)) as answer:
        answer.readline()
        begun.set()
        answer.read()
    is_over.set()


def test_an_end_loses_no_append_and_breaks_no_request(dsn: str, tmp_path: Path) -> None:
    # Whoever waits to the end of these seconds waits too long for this test.
    patient = {"LIBRARY_DRAIN_SECONDS": "90", "LIBRARY_GRACEFUL_SECONDS": "90"}
    with ThreadPoolExecutor(CLIENTS) as threads, operated(dsn, tmp_path, **patient) as app:
        begun, is_over = threading.Event(), threading.Event()
        follower = threading.Thread(target=follow, args=(app.served.address, is_over, begun), daemon=True)
        follower.start()
        assert begun.wait(LONGEST_WAIT)
        clients = [Client(app.served.address) for _ in range(CLIENTS)]
        running = [threads.submit(client.run) for client in clients]
        all_go_on(clients)

        app.served.process.terminate()
        eventually(lambda: ready(app.served.address) == 503, "not ready any more, and still there to say so")
        all_go_on(clients)
        assert not is_over.is_set(), "everything goes on as before while load balancers take notice"

        app.served.process.terminate()
        for each in running:
            each.result(LONGEST_WAIT)
        assert [client.broken for client in clients] == [[]] * CLIENTS
        ended(follower, "the live stream")
        assert is_over.is_set(), "in good order"
        assert app.served.process.wait(LONGEST_WAIT) == 0

    told = {number for client in clients for number in client.written}
    with open_pool(app.served.dsn) as pool:
        everything = PostgresEventStore(pool).stream(FilterBuilder().matching_any_event())
        assert told <= {event.sequence_number for event in everything}
    assert not [line for line in app.lines() if line["level"] in ("warning", "error", "critical")]
    assert not list(app.temporary.iterdir()), "nothing temporary is left"


def all_go_on(clients: list[Client]) -> None:
    """Wait until each has had some more answers."""
    before = [len(client.written) for client in clients]
    eventually(
        lambda: all(len(client.written) >= had + MORE for client, had in zip(clients, before, strict=True)),
        f"all clients go on: {[client.broken for client in clients]}",
    )


def ready(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=LONGEST_WAIT) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    return status
