"""A process that dies after the append and before the answer is recorded: the answer is found in the log."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from eventstore import InMemoryEventStore, SequencedEvent
from library_app import Config, create_app
from library_app.idempotency import InMemoryIdempotencyRecords
from slices.web import JsonAnswer
from tests.library_app.library import BOOK, COPY, LEND, NAME, OTHER, READER, RETURN
from tests.slices.races import Race, slice_of
from tests.slices.test_races import RACES
from tests.slices.web.test_every_command import api_of, before_the_slower_one, expected, sent

EXPIRE = "lending/expire-holds"

Log = Callable[[], tuple[SequencedEvent, ...]]


@pytest.fixture
def library(post: Any) -> None:
    """One copy, two readers."""
    post("lending/add-book-copy-to-circulation", COPY)
    post("lending/register-reader", {"ReaderID": READER, "Name": "Ann"})
    post("lending/register-reader", {"ReaderID": OTHER, "Name": "Bob"})


class Dies(Exception):
    """The process ends here."""


class DyingRecords(InMemoryIdempotencyRecords):
    """Dies, once unless told otherwise, before the answer is recorded. A dead process abandons nothing either."""

    def __init__(self, seconds: Callable[[], float], deaths: int = 1) -> None:
        super().__init__(seconds)
        self.deaths = deaths

    def finish(self, key: str, token: UUID, answer: JsonAnswer) -> None:
        if self.deaths:
            self.deaths -= 1
            raise Dies
        super().finish(key, token, answer)

    def abandon(self, key: str, token: UUID) -> None:
        raise AssertionError("dead processes do nothing")


def sender(app: Flask) -> Callable[[str, dict[str, Any]], TestResponse]:
    client = app.test_client()
    return lambda address, body: client.post(address, json=body, headers={"Idempotency-Key": "k"})


@pytest.fixture
def crashing(memory: InMemoryEventStore, config: Config, seconds: Any, noon: datetime) -> Any:
    """Like `post`, on an app whose process dies after the first append, before the answer is recorded."""
    records = DyingRecords(seconds)
    app = create_app(memory, config=config, clock=lambda: noon + timedelta(seconds=seconds.now), idempotency=records)
    post = sender(app)
    return lambda route, body: post(f"/api/{route}", body)


def test_after_a_crash_a_repeated_request_makes_exactly_one_event(crashing: Any, log: Log, seconds: Any) -> None:
    assert crashing("lending/register-reader", NAME).status_code == 500
    (written,) = log()
    seconds.now += 10
    assert crashing("lending/register-reader", NAME).status_code == 409, "somebody might still be at it"
    seconds.now += 25
    recovered = crashing("lending/register-reader", NAME)
    assert recovered.status_code == 201
    assert recovered.json["Events"] == [{"SequenceNumber": 1, "EventType": "ReaderRegistered"}]
    assert recovered.json["Outcome"] == "appended"
    assert recovered.json["ReaderID"] in written.payload.decode()
    again = crashing("lending/register-reader", NAME)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == recovered.data
    assert log() == (written,)


@pytest.mark.usefixtures("library")
def test_after_a_crash_the_answer_is_what_happened_and_not_what_would_happen_now(
    crashing: Any, post: Any, log: Log, seconds: Any
) -> None:
    crashing(LEND, {"BookID": BOOK, "ReaderID": READER})
    post(RETURN, {"BookID": BOOK, "ReaderID": READER})
    post(LEND, {"BookID": BOOK, "ReaderID": OTHER})
    before = log()
    seconds.now += 31
    recovered = crashing(LEND, {"BookID": BOOK, "ReaderID": READER})
    assert recovered.status_code == 201
    assert recovered.json["Events"] == [{"SequenceNumber": 4, "EventType": "BookCopyLentToReader"}]
    assert log() == before


@pytest.mark.usefixtures("library")
def test_after_a_crash_a_refusal_stays_one_refusal(crashing: Any, post: Any, log: Log, seconds: Any) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": OTHER})
    crashing(LEND, {"BookID": BOOK, "ReaderID": READER})
    post(RETURN, {"BookID": BOOK, "ReaderID": OTHER})
    before = log()
    seconds.now += 31
    recovered = crashing(LEND, {"BookID": BOOK, "ReaderID": READER})
    assert recovered.status_code == 409
    assert recovered.mimetype == "application/problem+json"
    assert recovered.json["reason"] == "BookAlreadyLent"
    assert recovered.json["detail"] == "The copy is lent to another reader."
    assert recovered.json["failure_event"] == 5
    assert log() == before


def ids_of(answer: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in answer.items() if key.endswith("ID")}


@pytest.mark.usefixtures("library")
def test_after_a_crash_the_answer_names_the_copy_and_not_the_reader_whose_hold_has_ended(
    crashing: Any, post: Any, seconds: Any
) -> None:
    post(LEND, {"BookID": BOOK, "ReaderID": READER})
    post("lending/reserve-book", {"BookID": BOOK, "ReaderID": OTHER})
    post(RETURN, {"BookID": BOOK, "ReaderID": READER})
    seconds.now += 48 * 3600 + 1
    assert crashing(EXPIRE, {"BookID": BOOK}).status_code == 500
    seconds.now += 31
    recovered = crashing(EXPIRE, {"BookID": BOOK})
    assert [event["EventType"] for event in recovered.json["Events"]] == ["BookHoldExpired"]
    assert ids_of(recovered.json) == {"BookID": BOOK}


def test_after_a_crash_the_answer_names_the_reader_whom_the_server_named(crashing: Any, seconds: Any, log: Log) -> None:
    crashing("lending/register-reader", NAME)
    seconds.now += 31
    recovered = crashing("lending/register-reader", NAME)
    assert ids_of(recovered.json) == {"ReaderID": str(log()[0].event_id)}


def written(race: Race) -> tuple[str, str] | None:
    """The command and whether it is refused; None if it writes nothing."""
    outcome, _ = expected(race)
    return (slice_of(race.slower), type(outcome.decision).__name__) if outcome.events else None


WRITTEN = {f"{key[0]}: {key[1]}": race for race in RACES.values() if (key := written(race))}
"""For each command one that is carried out, and one that is refused with an event."""


@pytest.mark.parametrize("race", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_recovered_answer_is_the_one_that_was_lost_but_for_its_report(
    race: Race, config: Config, seconds: Any
) -> None:
    def answer_after(deaths: int) -> tuple[int, dict[str, Any]]:
        records = DyingRecords(seconds, deaths=deaths)
        app = create_app(
            before_the_slower_one(race), config=config, clock=lambda: race.slower.occurred_at, idempotency=records
        )
        post = sender(app)
        for _ in range(deaths):
            assert post(api_of(race.slower), sent(race.slower)).status_code == 500
            seconds.now += 31
        response = post(api_of(race.slower), sent(race.slower))
        return response.status_code, response.get_json()

    (status, answer), recovered = answer_after(deaths=0), answer_after(deaths=1)
    del answer["Report"]
    assert recovered == (status, answer)
