"""What Prometheus is told: counted by rules, slices and decisions, and by nothing that a client can choose."""

import os
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from eventstore import InMemoryEventStore
from eventstore.postgres import AppendTimes
from library_app import Config, create_app
from library_app.operations.metrics import Metrics
from library_app.operations.metrics_folder import folder_of_all, shared_folder
from library_app.operations.sampling import Sampling
from library_app.operations.watching import AnsweredRequest, CarriedOut
from slices.outcome import Attempt, Conflict, Report, StoredEvent
from tests.library_app.library import BOOK, COPY, LEND, OTHER, READER
from tests.library_app.waiting import eventually


def numbers_in(text: str) -> dict[tuple[str, ...], float]:
    """Each number, by its name and the values of its labels; buckets are left out."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels and not sample.name.endswith(("_created", "_sum"))
    }


@pytest.fixture
def client(memory: InMemoryEventStore, config: Config) -> FlaskClient:
    metrics = Metrics()
    app = create_app(memory, config=config, watches=[metrics.watch])
    app.register_blueprint(metrics.blueprint())
    return app.test_client()


def test_requests_and_commands_are_counted(client: FlaskClient) -> None:
    client.post("/api/lending/add-book-copy-to-circulation", json=COPY)
    for reader in (READER, OTHER):
        client.post("/api/lending/register-reader", json={"ReaderID": reader, "Name": "Ann"})
    for reader in (READER, READER, OTHER):
        client.post(f"/api/{LEND}", json={"BookID": BOOK, "ReaderID": reader})
    for number in range(20):
        client.get(f"/library/books/{number}")
        client.open(f"/nowhere/{number}", method=f"BREW{number}")
    answer = client.get("/metrics")
    assert answer.mimetype == "text/plain"
    found = numbers_in(answer.text)
    lend = "lending/lend_book_to_reader"
    for decision in ("appended", "nothing", "rejected"):
        assert found["library_commands_total", decision, lend] == 1
    assert found["library_events_written_total", lend] == 2  # a refusal is on record, too
    assert found["library_append_seconds_count", lend] == 2
    assert found["library_conflicts_total", lend] == found["library_command_retries_total", lend] == 0
    requests = {name[1:]: value for name, value in found.items() if name[0] == "library_request_seconds_count"}
    assert requests["POST", f"/api/{LEND}", "201"] == requests["POST", f"/api/{LEND}", "409"] == 1
    assert requests["OTHER", "(none)", "404"] == 20
    assert len(requests) < 10, "no label holds what a client has chosen"


def test_conflicts_retries_and_appends_that_were_sent_again_are_counted() -> None:
    met = Conflict(7, "BookCopyLentToReader", "an item", 6)
    attempts = (Attempt(0, 6, 3, 0, 0, 0.01, 1, met), Attempt(1, 7, 4, 0, 0, 0.02, 3))
    stored = (StoredEvent(8, "BookCopyLentToReader"),)
    command = CarriedOut("lending/lend_book_to_reader", "appended", "", stored, Report(attempts))
    metrics = Metrics()
    metrics.watch(AnsweredRequest("POST", f"/api/{LEND}", 201, 0.04, (command,)))
    found = numbers_in(metrics.exposition().decode())
    names = ("conflicts_total", "command_retries_total", "append_repeats_total", "append_seconds_count")
    assert [found[f"library_{name}", command.slice] for name in names] == [1, 1, 2, 2]


def test_waits_for_the_lock_are_counted_as_the_store_tells_them(client: FlaskClient) -> None:
    metrics = Metrics()
    for status, waited in (("appended", 0.002), ("appended", 0.2), ("conflict", 0.0)):
        metrics.note_append(AppendTimes(status, waited))
    found = numbers_in(metrics.exposition().decode())
    assert found["library_append_lock_wait_seconds_count", "appended"] == 2
    assert found["library_append_lock_wait_seconds_count", "conflict"] == 1
    assert ("library_append_lock_wait_seconds_count",) not in numbers_in(client.get("/metrics").text)


def test_there_is_nothing_to_see_unless_it_is_switched_on(config: Config, memory: InMemoryEventStore) -> None:
    assert create_app(memory, config=config).test_client().get("/metrics").status_code == 404


def test_the_folder_is_made_fresh_and_removed_by_its_owner_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with shared_folder():
        first = folder_of_all()
        assert first is not None
        assert list(Path(first).iterdir()) == []
    assert folder_of_all() is None
    assert not Path(first).exists()
    owner = os.getpid()
    with shared_folder():
        kept = folder_of_all()
        monkeypatch.setattr(os, "getpid", lambda: owner + 1)  # as in a worker that ends
    assert kept is not None
    assert Path(kept).exists()
    Path(kept).rmdir()
    del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def test_a_look_comes_again_and_ends_with_the_block() -> None:
    looks = list[int]()
    with Sampling(lambda: looks.append(1), every=0.001):
        eventually(lambda: len(looks) > 2, "the third look")
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics"]
