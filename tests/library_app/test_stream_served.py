"""`/glass/stream` under the production server: threads are few, and no open page may keep anybody from the desk."""

import http.client
import json
import socket
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from tests.library_app.production import production
from tests.library_app.waiting import LONGEST_WAIT, eventually


class Page:
    """An open page: a connection that follows the stream."""

    def __init__(self, address: str, after: int | None = None) -> None:
        self._connection = connected(address)
        path = "/glass/stream" if after is None else f"/glass/stream?after={after}"
        self._connection.request("GET", path, headers={"Accept": "text/event-stream"})
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200

    def messages(self) -> Iterator[dict[str, str]]:
        """The messages as they come, until the stream ends; an end that was not orderly is an error."""
        fields: dict[str, str] = {}
        deadline = time.monotonic() + LONGEST_WAIT
        while line := self.answer.readline().decode():
            assert time.monotonic() < deadline, "nothing but signs of life"
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif fields:
                yield fields
                fields = {}
        assert self.answer.isclosed()

    def events_until(self, number: int) -> list[int]:
        """The numbers of the events told, up to this one."""
        seen: list[int] = []
        for message in self.messages():
            if "data" in message and "event" not in message:
                seen.append(int(message["id"]))
                if seen[-1] >= number:
                    return seen
        raise AssertionError(f"the stream ended after {seen}")

    def close(self) -> None:
        self._connection.close()
        self.answer.close()


def connected(address: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(address).netloc, timeout=LONGEST_WAIT)


def post(address: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=LONGEST_WAIT) as answer:
        return json.load(answer)


def register(address: str) -> int:
    """Write an event and return its number."""
    written = post(f"{address}/api/lending/register-reader", {"Name": "Ann", "ReaderID": str(uuid.uuid4())})
    number: int = written["Events"][0]["SequenceNumber"]
    return number


def test_what_one_writes_others_see_whatever_process_they_are_connected_to(address: str) -> None:
    before = register(address)
    pages = [Page(address, before) for _ in range(6)]
    for page in pages:
        assert page.answer.headers["Content-Type"].startswith("text/event-stream")
    followers = [page for page in pages if is_live(page)]
    assert followers
    written = [register(address), register(address)]
    for page in followers:
        assert page.events_until(written[-1]) == written
    for page in pages:
        page.close()


def is_live(page: Page) -> bool:
    """Read up to the position that is told first, which has another name in a short answer."""
    return next(message["event"] for message in page.messages() if "event" in message) == "position"


def somebody_is_let_in(address: str) -> bool:
    page = Page(address)
    try:
        return is_live(page)
    finally:
        page.close()


def test_sixty_four_open_pages_keep_nobody_from_lending(dsn: str) -> None:
    settings = {"LIBRARY_WORKERS": "1", "LIBRARY_THREADS": "4"}
    with production(dsn, **settings) as opened, ExitStack() as pages:
        followers = 0
        for _ in range(64):
            page = Page(opened.address)
            pages.callback(page.close)
            followers += is_live(page)
        assert followers == 2, "half of the threads"
        assert register(opened.address)


def test_a_page_that_is_left_frees_its_place(dsn: str) -> None:
    settings = {"LIBRARY_WORKERS": "1", "LIBRARY_THREADS": "2"}
    with production(dsn, **settings) as opened:
        left = Page(opened.address)
        assert is_live(left)
        waiting = Page(opened.address)
        assert not is_live(waiting)
        waiting.close()
        left.close()
        eventually(lambda: somebody_is_let_in(opened.address), "the place of a page that was left is free")


def test_a_worker_that_is_told_to_end_ends_its_streams_first_and_finishes_other_requests(dsn: str) -> None:
    settings = {"LIBRARY_WORKERS": "1", "LIBRARY_THREADS": "2"}
    with production(dsn, **settings) as opened:
        page = Page(opened.address)
        assert is_live(page)
        body = json.dumps({"Name": "Bob"}).encode()
        slow = connected(opened.address)
        slow.putrequest("POST", "/api/lending/register-reader")
        slow.putheader("Content-Type", "application/json")
        slow.putheader("Content-Length", str(len(body)))
        slow.putheader("Expect", "100-continue")
        slow.endheaders()
        assert slow.sock.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 100"  # so the worker is at it
        opened.process.terminate()
        assert not [message for message in page.messages() if "event" in message]
        slow.send(body)
        assert slow.getresponse().status == 201
        slow.close()
        page.close()
