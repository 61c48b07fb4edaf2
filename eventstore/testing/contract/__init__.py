"""The contract of an event store, as tests that any engine can run: ours and other people's.

Write a test class for your engine; pytest does the rest. The extra `testing` installs what is needed.

    from eventstore.testing.contract import EventStoreContract

    class TestMyStore(EventStoreContract):
        @pytest.fixture
        def engine(self): return MyStore()  # an empty one for every test

Why a class: each failure is named after its engine (`TestMyStore::test_one_position_wins_once`), several engines fit
into one module, the fixture may just as well stand in a `conftest.py` or be parametrised, and a type checker sees what
is inherited. What an engine leaves out its owner says, with the reason, which pytest then repeats at each skipped test:

    class TestMyStore(EventStoreContract):
        lacks = {Ability.EXPLAINED_CONFLICTS: "the server answers only yes or no"}

An engine whose positions have gaps is tested as `WithoutGaps(MyStore())`. For an engine that is not finished yet,
inherit from single parts: `class TestReading(Queries, Matching)`.
"""

from pkgutil import iter_modules

import pytest

# Before the modules are imported: a failing assertion shall show its values, as in any test.
pytest.register_assert_rewrite(*(module.name for module in iter_modules(__path__, f"{__name__}.")))

from eventstore.testing.contract.any_log import AnyLog
from eventstore.testing.contract.appends import Appends
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.conditions import Conditions, OldPositions
from eventstore.testing.contract.event_ids import EventIds
from eventstore.testing.contract.gaps import WithoutGaps
from eventstore.testing.contract.matching import Matching
from eventstore.testing.contract.queries import Queries
from eventstore.testing.contract.races import Races
from eventstore.testing.contract.relatives import Relatives
from eventstore.testing.contract.streams import Streams
from eventstore.testing.contract.subscriptions import Subscriptions

__all__ = [
    "Ability",
    "AnyLog",
    "Appends",
    "Conditions",
    "EventIds",
    "EventStoreContract",
    "Matching",
    "OldPositions",
    "Part",
    "Queries",
    "Races",
    "Relatives",
    "Streams",
    "Subscriptions",
    "WithoutGaps",
    "needs",
]


class EventStoreContract(
    Queries,
    Streams,
    Subscriptions,
    Matching,
    Appends,
    Conditions,
    OldPositions,
    EventIds,
    Relatives,
    Races,
    AnyLog,
):
    """Every behaviour of query, append, condition, filter, order and subscription that every engine shows.

    >>> class TestInMemory(EventStoreContract):
    ...     @pytest.fixture
    ...     def engine(self) -> EventStore:
    ...         return InMemoryEventStore()
    """
