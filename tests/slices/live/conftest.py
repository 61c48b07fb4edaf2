"""A store that is told at once or never, and a counting model beside it."""

import pytest

from eventstore.postgres import PostgresEventStore, reading
from eventstore.postgres.pool import Pool
from slices.live import statements
from slices.live.answering import LiveAnswers
from slices.live.schema import create_tables
from tests.eventstore.subscriptions.following import NEVER
from tests.slices.live.counting import MODEL


@pytest.fixture
def store(pool: Pool, table: str) -> PostgresEventStore:
    """An empty store that does not poll."""
    created = PostgresEventStore(pool, table, poll_interval=NEVER)
    created.create_schema()
    return created


@pytest.fixture
def live(pool: Pool, store: PostgresEventStore, table: str) -> LiveAnswers:
    """Where the counting model is asked; its tables exist, and nobody runs it yet."""
    create_tables(pool, MODEL, table)
    return LiveAnswers(pool, table)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of three positions, and little patience with those who lock rows."""
    monkeypatch.setattr(reading, "WINDOW", 3)
    monkeypatch.setattr(statements, "SETTINGS", statements.SETTINGS.replace(b"2s", b"200ms"))
