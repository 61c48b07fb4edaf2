"""Those who start processes and spread requests are told the truth about one, soon, and nothing that is internal."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from eventstore import EventStoreError, InMemoryEventStore, SchemaOutdated, StoreUnavailable
from library_app import Config, create_app
from library_app.operations.ending import Ending
from library_app.operations.health import NotReady, Readiness
from tests.library_app.waiting import done

SECRET = "host=db.internal password=hunter2"


def client_with(readiness: Readiness, config: Config) -> FlaskClient:
    return create_app(InMemoryEventStore(), config=config, readiness=readiness).test_client()


def raising(error: Exception) -> str:
    raise error


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_a_probe_gets_no_session_and_leaves_no_trace_in_the_document(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert "Set-Cookie" not in answer.headers
    assert client.head(address).status_code == 200
    document = client.get("/api/openapi.json").json
    assert document is not None
    assert not [path for path in document["paths"] if "health" in path]


def test_to_live_is_to_answer_whatever_the_database_does(config: Config) -> None:
    broken = client_with(Readiness({"database": lambda: raising(StoreUnavailable("", outcome_unknown=False))}), config)
    assert broken.get("/health/live").json == {"status": "alive"}
    assert broken.get("/health/ready").status_code == 503


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreUnavailable(SECRET, outcome_unknown=False), "does not answer"),
        (SchemaOutdated(SECRET), "has a schema that does not fit to this release"),
        (EventStoreError(SECRET), "cannot be used"),
        (NotReady("is not in the mood"), "is not in the mood"),
    ],
)
def test_who_is_not_ready_says_why_and_nothing_internal(config: Config, error: Exception, words: str) -> None:
    readiness = Readiness({"first": lambda: "is well", "database": lambda: raising(error), "last": lambda: "is well"})
    answer = client_with(readiness, config).get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "first": "is well", "database": words}


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Ends whatever waits for it."""
    event = threading.Event()
    yield event
    event.set()


def test_a_check_that_never_ends_keeps_nobody_and_costs_one_thread(released: threading.Event) -> None:
    begun = threading.Semaphore(0)

    def hang() -> str:
        begun.release()
        released.wait()
        return "answers"

    readiness = Readiness({"first": lambda: "is well", "database": hang}, bound=0.05)
    found = list[object]()
    done(lambda: found.extend(readiness.ask() for _ in range(3)), "three questions")
    assert found == [(False, {"first": "is well", "database": "does not answer within 0.05 s"})] * 3
    assert begun.acquire(blocking=False)
    assert not begun.acquire(blocking=False), "all three shared one look"


def test_a_look_that_is_over_is_not_told_again() -> None:
    moods = iter(["is fine", "is tired"])
    readiness = Readiness({"database": lambda: next(moods)})
    assert [readiness.ask()[1]["database"] for _ in range(2)] == ["is fine", "is tired"]


def test_a_process_that_will_end_is_not_ready_and_is_asked_nothing_else(config: Config) -> None:
    ending, closed = Ending(), list[str]()
    ending.callback(lambda: closed.append("streams"))
    readiness = Readiness({"database": lambda: "answers"}, lambda: ending.is_near)
    client = client_with(readiness, config)
    assert client.get("/health/ready").status_code == 200
    ending.announce()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "process": "is about to end"})
    assert client.get("/health/live").status_code == 200
    assert not closed, "requests go on as before until the process itself is told"
    ending.begin()
    ending.begin()
    assert closed == ["streams"]


FORKED = """
import os
from library_app.operations.ending import Ending

ending = Ending()
for tell in (ending.begin, ending.announce):
    process = os.fork()
    if not process:
        tell()
        os._exit(ending.is_near)
    _, status = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(status), int(ending.is_near))
"""


def test_the_end_of_one_process_says_nothing_of_others_and_the_announced_end_is_known_to_all() -> None:
    # In a process without threads: pytest has some, and should not fork.
    told = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["1 0", "1 1"]


def test_the_past_has_no_health_of_its_own(client: FlaskClient) -> None:
    assert client.get("/as-of/0/health/ready").headers["Location"] == "/health/ready"
