"""Engines with one mistake each. Not collected by itself: test_contract_finds_faults.py runs it, expecting failures."""

import pytest

from eventstore import EventStore
from eventstore.testing.contract import EventStoreContract
from tests.eventstore import broken_guards  # noqa: F401  (its engines are subclasses, too)
from tests.eventstore.broken_reads import Broken
from tests.eventstore.broken_subscriptions import BrokenSubscriptions

ENGINES: list[type[Broken]] = [
    *(Broken, BrokenSubscriptions),
    *(engine for engine in Broken.__subclasses__() if engine is not BrokenSubscriptions),
    *BrokenSubscriptions.__subclasses__(),
]


class TestBroken(EventStoreContract):
    @pytest.fixture(params=ENGINES, ids=lambda engine: engine.__name__)
    def engine(self, request: pytest.FixtureRequest) -> EventStore:
        engine: EventStore = request.param()
        return engine
