"""The address of a reader is nowhere: not in the log, not beside it, not in what is logged, not in an error."""

import hashlib
import hmac
import itertools
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from psycopg.sql import SQL, Identifier
from werkzeug.test import TestResponse

from eventstore import AppendCondition, EventStore, InMemoryEventStore, StorableEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from library_app import Config, create_app
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.keyed_hash import keyed_hash
from library_app.operations.logs import JsonLines
from slices.codec import decode
from slices.lending.events import ReaderEmailClaimed
from tests.library_app.conftest import all_events
from tests.slices.test_concurrency import StartingLine

ANN = "0190a000-0000-7000-8000-00000000000a"
BOB = "0190a000-0000-7000-8000-00000000000b"
TYPED = "Ann.Secret@Example.org"
ADDRESS = "ann.secret@example.org"
REGISTER = "lending/register-reader"
CLAIM = "lending/claim-reader-email"
CANCEL = "lending/cancel-reader-contract"

Send = Callable[..., TestResponse]


def send_to(client: FlaskClient) -> Send:
    """JSON commands, each with an Idempotency-Key of its own."""
    keys = itertools.count(1)

    def send(route: str, **body: str) -> TestResponse:
        return client.post(f"/api/{route}", json=body, headers={"Idempotency-Key": str(next(keys))})

    return send


def test_the_hash_is_hmac_sha_256_in_hex_and_another_key_gives_another() -> None:
    assert keyed_hash("key", "The quick brown fox jumps over the lazy dog") == (
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )
    assert keyed_hash("other key", ADDRESS) != keyed_hash("key", ADDRESS)


def test_the_key_of_the_configuration_is_the_one_that_hashes(
    post: Any, config: Config, memory: InMemoryEventStore
) -> None:
    post(REGISTER, {"Name": "Ann", "ReaderID": ANN, "Email": TYPED})
    claimed = decode(all_events(memory)[-1])
    assert isinstance(claimed, ReaderEmailClaimed)
    assert claimed.email_hash == hmac.digest(config.email_key.encode(), ADDRESS.encode(), hashlib.sha256).hex()


def test_with_another_key_an_old_claim_is_not_recognised(config: Config, memory: InMemoryEventStore) -> None:
    """What the README warns of."""
    for number, email_key in enumerate((config.email_key, config.email_key, "a key that was changed")):
        app = create_app(memory, config=Config(config.secret_key, email_key=email_key))
        answer = app.test_client().post(f"/api/{REGISTER}", json={"Name": "Ann", "Email": TYPED})
        assert answer.status_code == (201, 409, 201)[number]


def assert_reveals_nothing(text: str) -> None:
    """Neither an address nor what could be compared with the hash of a guessed one."""
    lower = text.lower()
    for spelling in (TYPED, ADDRESS, "secret@example", "example.org"):
        assert spelling.lower() not in lower
    guesses = [
        {"reader_id": ANN, "name": "Ann", "email": ADDRESS},
        {"reader_id": ANN, "email": ADDRESS},
        {"reader_id": BOB, "email": ADDRESS},
    ]
    written = [json.dumps(guess, sort_keys=True, separators=(",", ":")) for guess in guesses]
    for guess in (ADDRESS, TYPED, *written, *(fields.replace(ADDRESS, TYPED) for fields in written)):
        assert hashlib.sha256(guess.encode()).hexdigest() not in lower


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Every line, as people read it and as programs do."""
    return "\n".join([caplog.text, *map(JsonLines().format, caplog.records)])


def everything_in(pool: Pool) -> str:
    """Every row of every table, as text."""
    with pool.connection() as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [
            row
            for (table,) in tables
            for row in connection.execute(SQL("SELECT t::text FROM {} AS t").format(Identifier(table))).fetchall()
        ]
    return "\n".join(text for (text,) in rows)


def test_the_address_is_nowhere_in_the_database_nor_in_the_answers(
    database: str, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_pool(database) as pool:
        store, records = PostgresEventStore(pool), PostgresIdempotencyRecords(pool)
        store.create_schema()
        records.create_schema()
        send = send_to(create_app(store, config=config, idempotency=records).test_client())
        answers = [
            send(REGISTER, ReaderID=ANN, Name="Ann", Email=TYPED),
            send(REGISTER, ReaderID=BOB, Name="Bob"),
            send(CLAIM, ReaderID=BOB, Email=ADDRESS),
            send(CLAIM, ReaderID=ANN, Email=ADDRESS),
            send(CLAIM, ReaderID=ANN, Email=f"{TYPED} {TYPED}"),
            send(CANCEL, ReaderID=ANN),
            send(CLAIM, ReaderID=BOB, Email=TYPED),
        ]
        written = everything_in(pool)
    assert [answer.status_code for answer in answers] == [201, 201, 409, 200, 422, 201, 201]
    assert written.count(keyed_hash(config.email_key, ADDRESS)) == 3
    assert written.count(CLAIM) == 3
    for text in (written, logged(caplog), *(answer.get_data(as_text=True) for answer in answers)):
        assert_reveals_nothing(text)


def test_two_spellings_of_an_address_are_one_request(post: Any) -> None:
    post(REGISTER, {"Name": "Ann", "ReaderID": ANN})
    first = post(CLAIM, {"ReaderID": ANN, "Email": TYPED}, key="k")
    again = post(CLAIM, {"ReaderID": ANN, "Email": f" {ADDRESS.upper()}"}, key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.data == again.data
    assert post(CLAIM, {"ReaderID": ANN, "Email": "x" + ADDRESS}, key="k").status_code == 422


class Breaking(InMemoryEventStore):
    """Fails at every append, in the given way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError("broken"), 500), (StoreUnavailable("gone", outcome_unknown=False), 503)],
    ids=["fault", "no store"],
)
def test_the_address_is_in_no_error_page_and_in_no_log_line(
    config: Config, noon: datetime, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    app = create_app(Breaking(error), config=config, clock=lambda: noon)
    app.testing = False
    client = app.test_client()
    token = client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]
    fields = {"ReaderID": ANN, "Name": "Ann", "Email": TYPED}
    answers = [
        client.post("/library/readers/register", data={**fields, "csrf_token": token}),
        client.post(f"/api/{REGISTER}", json=fields, headers={"Idempotency-Key": "k"}),
        client.post("/library/readers/register", data=fields),
    ]
    assert [answer.status_code for answer in answers] == [status, status, 400]
    assert str(error) in caplog.text
    for text in (logged(caplog), *(answer.get_data(as_text=True) for answer in answers)):
        assert_reveals_nothing(text)


def claimed_in(store: EventStore) -> list[ReaderEmailClaimed]:
    return [event for event in map(decode, all_events(store)) if isinstance(event, ReaderEmailClaimed)]


@pytest.mark.parametrize("route", [CLAIM, REGISTER])
def test_of_two_readers_who_spell_one_address_differently_at_once_one_gets_it(
    store: PostgresEventStore, config: Config, route: str
) -> None:
    if route == CLAIM:
        before = send_to(create_app(store, config=config).test_client())
        before(REGISTER, ReaderID=ANN, Name="Ann")
        before(REGISTER, ReaderID=BOB, Name="Bob")
    app = create_app(StartingLine(store, racers=2), config=config)
    started = threading.Barrier(2)

    def claim(reader_id: str, address: str) -> TestResponse:
        body = {"ReaderID": reader_id, "Email": address}
        started.wait()
        return app.test_client().post(f"/api/{route}", json=body if route == CLAIM else {**body, "Name": "A reader"})

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(claim, (ANN, BOB), (TYPED, f" {ADDRESS.upper()}")))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    [winner] = [answer for answer in answers if answer.status_code == 201]
    [loser] = [answer for answer in answers if answer.status_code == 409]
    assert loser.json is not None
    assert winner.json is not None
    assert loser.json["reason"] == "EmailAlreadyClaimed"
    [conflict] = loser.json["Report"]["Conflicts"]
    assert conflict["EventType"] == "ReaderEmailClaimed"
    [claimed] = claimed_in(store)
    assert claimed.reader_id == winner.json["ReaderID"]
