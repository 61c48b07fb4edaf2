"""Our engines keep the contract that the package ships, also when they are wrapped, and when numbers are lost."""

from typing import Any

import pytest
from hypothesis import settings
from psycopg.sql import SQL

from eventstore import EventStore, InMemoryEventStore, StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool, borrowed
from eventstore.telemetry import InstrumentedEventStore
from eventstore.testing.contract import (
    AnyLog,
    Appends,
    Conditions,
    EventIds,
    EventStoreContract,
    OldPositions,
    Queries,
    Races,
    Relatives,
    Streams,
    Subscriptions,
    WithoutGaps,
    any_log,
)
from tests.eventstore.examples import EVERYTHING, event
from tests.wrapped_store import WrappedStore


class TestOurEngines(EventStoreContract):
    """The fixture `engine` of the tests: memory and PostgreSQL."""


class TestInstrumented(Queries, Streams, Subscriptions, Appends, Conditions, EventIds, Relatives, Races):
    @pytest.fixture
    def engine(self) -> EventStore:
        return InstrumentedEventStore(InMemoryEventStore())


class LosingNumbers(WrappedStore):
    """Draws numbers before each append and throws them away, as a transaction does that rolls back."""

    def __init__(self, store: PostgresEventStore, pool: Pool, table: str) -> None:
        super().__init__(store)
        self._pool = pool
        self._draw = SQL("SELECT nextval({}::regclass) FROM generate_series(1, 3)").format(f"{table}_sequence_number")

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        with borrowed(self._pool) as connection:
            connection.execute(self._draw)
        return super().append(first, *more, **options)


@pytest.fixture
def losing(store: PostgresEventStore, pool: Pool, table: str) -> LosingNumbers:
    return LosingNumbers(store, pool, table)


class TestPostgresWithLostNumbers(Queries, Streams, Subscriptions, Appends, Conditions, OldPositions, EventIds, Races):
    @pytest.fixture
    def engine(self, losing: LosingNumbers) -> WithoutGaps:
        return WithoutGaps(losing)


class TestAnyLogWithLostNumbers(AnyLog):
    @pytest.fixture
    def engine(self, losing: LosingNumbers) -> LosingNumbers:
        return losing


def test_the_numbers_are_really_lost(losing: LosingNumbers) -> None:
    assert [losing.append(event()), losing.append(event(), event()), losing.append(event())] == [[4], [8, 9], [13]]
    counted = WithoutGaps(losing)
    assert counted.append(event()) == [5]
    assert [found.sequence_number for found in counted.query(EVERYTHING)] == [1, 2, 3, 4, 5]


def test_the_profile_says_how_many_logs_are_looked_at() -> None:
    """It does not if the contract is imported before the profile is loaded."""
    loaded = settings()
    assert (any_log.examples.max_examples, any_log.examples.phases) == (loaded.max_examples, loaded.phases)
