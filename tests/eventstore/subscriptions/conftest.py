"""Stores whose subscriptions are told at once or never: no look from time to time covers up a lost notification."""

from collections.abc import Generator

import pytest
from psycopg.conninfo import conninfo_to_dict

from eventstore import EventStore, InMemoryEventStore
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from tests.eventstore.subscriptions.following import NEVER


@pytest.fixture
def store(pool: Pool, table: str) -> PostgresEventStore:
    """An empty store on PostgreSQL that does not poll."""
    created = PostgresEventStore(pool, table, poll_interval=NEVER)
    created.create_schema()
    return created


@pytest.fixture(params=["memory", "postgres"])
def engine(request: pytest.FixtureRequest) -> EventStore:
    """An empty event store of each kind."""
    if request.param == "memory":
        return InMemoryEventStore()
    created: PostgresEventStore = request.getfixturevalue("store")
    return created


@pytest.fixture
def database(own_dsn: str) -> str:
    """The name of the database of one's own."""
    return str(conninfo_to_dict(own_dsn)["dbname"])


@pytest.fixture
def own_pool(own_dsn: str) -> Generator[Pool]:
    """A pool of ten connections, which are all made, to that database."""
    with open_pool(own_dsn, min_size=10, max_size=10) as opened:
        yield opened
