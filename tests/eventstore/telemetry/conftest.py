"""Engines with telemetry around them."""

from collections.abc import Iterator

import pytest

from eventstore import EventStore, InMemoryEventStore
from eventstore.telemetry import InstrumentedEventStore
from tests.eventstore.telemetry.recording import Telemetry


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    telemetry = Telemetry()
    yield telemetry
    telemetry.tracers.shutdown()
    telemetry.meters.shutdown()


@pytest.fixture
def watched(telemetry: Telemetry, engine: EventStore) -> InstrumentedEventStore:
    """Each engine, with telemetry around it."""
    return telemetry.over(engine)


@pytest.fixture
def watched_memory(telemetry: Telemetry) -> InstrumentedEventStore:
    return telemetry.over(InMemoryEventStore())
