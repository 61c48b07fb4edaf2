"""Clients that lend and return over HTTP, as a client should that cannot know what became of its command.

Every command has an `Idempotency-Key`, and is sent again with the same key until it is answered: after a 503, after a
409 that says `Retry-After` (another process is at it), and after a connection that broke or was refused. It also has a
correlation id of its own, by which its events are found in the log, however often they were written.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from tests.library_app.library import COPY, LEND, RETURN

_PATIENCE: Final = 180.0
"""Seconds after which something that should have happened is taken for lost: a safety net, not a measurement."""
_ANSWERS_WITHIN: Final = 120.0
_PAUSE: Final = (0.02, 0.2)
"""Seconds between two sendings of one command: sooner than `Retry-After` asks for, to be a nuisance."""


@dataclass(slots=True)
class Command:
    """What a client wants, and what it has heard.

    Attributes:
        route, body: of the request.
        key: the Idempotency-Key.
        correlation: its X-Correlation-ID, which its events carry.
        status, answer: what was finally answered; 0 as long as nothing was.
    """

    route: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: uuid4().hex)
    correlation: str = field(default_factory=lambda: str(uuid4()))
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_acknowledged(self) -> bool:
        """Whether the client was told that it is written."""
        return self.status == 201


class Client:
    """One reader, and the connection of one program: sends one command after the other.

    Attributes:
        commands: all that it has sent, in order.
        heard: how often it got each answer: a status, "in flight" or "no answer".
        waits: seconds that each 503 took.
        broken: answers that no client should get.
    """

    def __init__(self, port: int, books: list[str]) -> None:
        self.reader = str(uuid4())
        self.commands: list[Command] = []
        self.heard: dict[str, int] = {}
        self.waits: list[float] = []
        self.broken: list[str] = []
        self._books = books
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWERS_WITHIN)
        self._chance = random.Random(self.reader)

    def run(self, stop: threading.Event, give_up: threading.Event) -> None:
        """Lend and return until stopped; the command under way is brought to its end, unless there is none."""
        while not stop.is_set():
            body = {"BookID": self._chance.choice(self._books), "ReaderID": self.reader}
            if self.carry_out(LEND, body, give_up).status in (200, 201):
                self.carry_out(RETURN, body, give_up)

    def carry_out(self, route: str, body: dict[str, Any], give_up: threading.Event) -> Command:
        """Send a new command until it is answered."""
        command = Command(route, body)
        self.commands.append(command)
        while not self.send(command) and not give_up.wait(self._chance.uniform(*_PAUSE)):
            pass
        return command

    def close(self) -> None:
        """Close the connection; whoever sends another command opens it again."""
        self._connection.close()

    def send(self, command: Command) -> bool:
        """Send it once; False if it has to be sent again."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": command.key,
            "X-Correlation-ID": command.correlation,
        }
        began = time.monotonic()
        try:
            self._connection.request("POST", f"/api/{command.route}", json.dumps(command.body), headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            self._count("no answer")
            return False
        return self._is_final(command, response, answer, time.monotonic() - began)

    def _is_final(
        self, command: Command, response: http.client.HTTPResponse, answer: dict[str, Any], seconds: float
    ) -> bool:
        later = response.headers["Retry-After"]
        if response.status in (409, 503) and later is not None:
            self._count("in flight" if response.status == 409 else "503")
            if response.status == 503:
                self.waits.append(seconds)
            return False
        self._count(str(response.status))
        command.status, command.answer = response.status, answer
        if response.status not in (200, 201) and not (response.status == 409 and "reason" in answer):
            self.broken.append(f"{command.route} was answered with {response.status}: {answer}")
        return True

    def _count(self, what: str) -> None:
        self.heard[what] = self.heard.get(what, 0) + 1


class Load:
    """Clients at work.

    Attributes:
        clients: each in a thread of its own.
    """

    def __init__(self, port: int, clients: int, books: int) -> None:
        self._books = [str(uuid4()) for _ in range(books)]
        self._librarian = Client(port, self._books)
        self.clients = [Client(port, self._books) for _ in range(clients)]
        self._stop, self._give_up = threading.Event(), threading.Event()
        self._running: list[Future[None]] = []

    @property
    def first(self) -> int:
        """The number of the first event that it has written."""
        return int(self._librarian.commands[0].answer["Events"][0]["SequenceNumber"])

    @property
    def everybody(self) -> list[Client]:
        """The clients, and whoever made the library in which they lend."""
        return [self._librarian, *self.clients]

    def start(self, threads: ThreadPoolExecutor) -> None:
        """Bring copies and readers in, and let the clients begin."""
        for book in self._books:
            self._librarian.carry_out("lending/add-book-copy-to-circulation", {**COPY, "BookID": book}, self._give_up)
        for client in self.clients:
            reader = {"ReaderID": client.reader, "Name": "Ann"}
            self._librarian.carry_out("lending/register-reader", reader, self._give_up)
        self._running = [threads.submit(client.run, self._stop, self._give_up) for client in self.clients]

    def stop(self) -> None:
        """Return when every command that was begun is answered."""
        self._stop.set()
        for one in self._running:
            one.result(_PATIENCE)

    def give_up(self) -> None:
        """End without answers."""
        self._stop.set()
        self._give_up.set()

    def goes_on(self, each: int = 1) -> None:
        """Return when every client has so many more commands acknowledged: the app works, for all."""
        before = [self._acknowledged(client) for client in self.clients]
        self.wait_for(
            lambda: all(
                self._acknowledged(client) >= count + each for client, count in zip(self.clients, before, strict=True)
            ),
            "every client is answered",
        )

    def meets(self, what: str) -> None:
        """Return when somebody has heard this once more: "503" or "no answer"."""
        before = self.heard(what)
        self.wait_for(lambda: self.heard(what) > before, f"somebody hears {what}")

    def heard(self, what: str) -> int:
        """How often it was heard by all."""
        return sum(client.heard.get(what, 0) for client in self.everybody)

    def wait_for(self, is_true: Callable[[], bool], what: str) -> None:
        """Ask until it is true, and hear of a client that failed."""
        pause = threading.Event()
        deadline = time.monotonic() + _PATIENCE
        while not is_true():
            for one in self._running:
                if one.done():
                    one.result()
            assert time.monotonic() < deadline, f"never true: {what}"
            pause.wait(0.005)

    @staticmethod
    def _acknowledged(client: Client) -> int:
        return sum(command.is_acknowledged for command in tuple(client.commands))


@contextmanager
def under_load(port: int, *, clients: int = 6, books: int = 4) -> Generator[Load]:
    """Clients lend and return within the block; at its end each command that was begun is brought to an answer.

    Args:
        port: of the app on 127.0.0.1.
        clients: programs that send at once, each for a reader of its own.
        books: copies that they lend; if there are fewer than clients, some are refused, which is on record too.
    """
    load = Load(port, clients, books)
    with ThreadPoolExecutor(clients) as threads:
        try:
            load.start(threads)
            yield load
            load.stop()
        finally:
            load.give_up()
            for client in load.everybody:
                client.close()
