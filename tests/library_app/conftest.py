"""The app on a store in memory, and a client that speaks to it."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from werkzeug.test import TestResponse

from eventstore import EventStore, FilterBuilder, InMemoryEventStore, SequencedEvent
from eventstore.postgres import PostgresEventStore, open_pool
from library_app import Config, create_app
from library_app.demo import history
from library_app.idempotency import InMemoryIdempotencyRecords
from library_app.keyed_hash import keyed_hash
from library_app.race.postgres import TABLE, create_tables
from slices.command_loop import CommandLoop
from tests.library_app.library import COPY, OTHER, READER
from tests.library_app.production import served

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

Post = Callable[..., TestResponse]


@pytest.fixture(scope="session")
def config() -> Config:
    return Config(secret_key="a secret for the tests")


@pytest.fixture
def memory() -> InMemoryEventStore:
    return InMemoryEventStore()


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def records(seconds: Seconds) -> InMemoryIdempotencyRecords:
    return InMemoryIdempotencyRecords(seconds)


@pytest.fixture
def app(memory: InMemoryEventStore, config: Config, records: InMemoryIdempotencyRecords, seconds: Seconds) -> Flask:
    clock = lambda: NOON + timedelta(seconds=seconds.now)  # noqa: E731
    created = create_app(memory, config=config, clock=clock, idempotency=records)
    created.testing = False  # errors are answered as in production
    return created


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def post(client: FlaskClient) -> Post:
    """Send a JSON command."""

    def send(route: str, body: dict[str, Any], key: str | None = None, **headers: str) -> TestResponse:
        if key is not None:
            headers["Idempotency-Key"] = key
        return client.post(f"/api/{route}", json=body, headers=headers)

    return send


@pytest.fixture
def library(post: Post) -> None:
    """One copy, two readers."""
    post("lending/add-book-copy-to-circulation", COPY)
    post("lending/register-reader", {"ReaderID": READER, "Name": "Ann"})
    post("lending/register-reader", {"ReaderID": OTHER, "Name": "Bob"})


@pytest.fixture
def form(client: FlaskClient) -> Post:
    """Send a form as a browser does: with the token of a page that was shown before."""

    def send(address: str, fields: dict[str, str]) -> TestResponse:
        page = client.get("/library/readers/register").text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        return client.post(address, data={**fields, "csrf_token": token})

    return send


@pytest.fixture
def log(memory: InMemoryEventStore) -> Callable[[], tuple[SequencedEvent, ...]]:
    """All events."""
    return lambda: all_events(memory)


def all_events(store: EventStore) -> tuple[SequencedEvent, ...]:
    return store.query(FilterBuilder().matching_any_event()).events


@pytest.fixture(scope="session")
def seeded(config: Config) -> InMemoryEventStore:
    """The demo's history; read only."""
    store = InMemoryEventStore()
    loop = CommandLoop(store)
    for step in history.plan(NOON, partial(keyed_hash, config.email_key)):
        step.carry_out(loop)
    return store


@pytest.fixture
def demo_client(seeded: InMemoryEventStore, config: Config) -> FlaskClient:
    return create_app(seeded, config=config).test_client()


@pytest.fixture
def database(dsn: str) -> Iterator[str]:
    """An empty database."""
    name = Identifier(f"library_{uuid.uuid4().hex[:8]}")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
        yield make_conninfo(dsn, dbname=name.as_string().strip('"'))
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def lab_dsn(dsn: str) -> Iterator[str]:
    """A database that has the tables of the lab, and nothing else."""
    name = Identifier(f"lab_{uuid.uuid4().hex[:8]}")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
        made = make_conninfo(dsn, dbname=name.as_string().strip('"'))
        with open_pool(made, max_size=2) as pool:
            create_tables(pool)
        yield made
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def racer(lab_dsn: str) -> Iterator[str]:
    """A role that has the rights on the tables of the lab which the README tells to grant, and no others."""
    role = f"racer_{uuid.uuid4().hex[:8]}"
    with open_pool(lab_dsn, max_size=2) as pool, psycopg.connect(lab_dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
        connection.execute(PostgresEventStore(pool, TABLE).grants_for(role).encode())
        connection.execute(SQL("GRANT SELECT, INSERT ON lab_events_naive TO {}").format(Identifier(role)))
        yield role
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def address(dsn: str) -> Iterator[str]:
    """The address of the app in production, with the demo's history."""
    with served(dsn) as found:
        yield found
