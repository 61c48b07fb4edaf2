"""The consumer that the page shows has the effect of every event exactly once."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from eventstore import Filter, Subscription
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import event
from tests.eventstore.faults import LONGEST_WAIT, ask, in_background, wait_until
from tests.eventstore.subscriptions.following import NEVER
from tests.wrapped_store import WrappedStore

Consumer = Callable[[object, Pool], None]
PAGE = Path(__file__).parents[3] / "eventstore/docs/subscriptions.md"


@pytest.fixture
def count_loans() -> Consumer:
    [program] = re.findall(
        r"^```python\n((?:(?!```).)*store\.subscribe\(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {}
    exec(program, names)
    consumer: Consumer = names["count_loans"]
    return consumer


@pytest.fixture
def store(own_pool: Pool) -> PostgresEventStore:
    created = PostgresEventStore(own_pool, poll_interval=NEVER)
    created.create_schema()
    with own_pool.connection() as connection:
        connection.execute("CREATE TABLE loans (counted bigint NOT NULL, position bigint NOT NULL)")
        connection.execute("INSERT INTO loans VALUES (0, 0)")
    return created


@dataclass
class Interruptible(WrappedStore):
    """Ends its subscriptions again and again, and at last for good."""

    subscriptions: list[Subscription] = field(default_factory=list[Subscription])
    is_over: threading.Event = field(default_factory=threading.Event)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        subscription = self.inner.subscribe(filter, after)
        self.subscriptions.append(subscription)
        if self.is_over.is_set():
            subscription.close()
        return subscription

    def interrupt(self) -> None:
        for subscription in tuple(self.subscriptions):
            subscription.close()


def test_consumers_that_are_interrupted_and_rival_each_other_count_every_event_once(
    store: PostgresEventStore, own_pool: Pool, own_dsn: str, count_loans: Consumer
) -> None:
    interrupted = Interruptible(store)

    def consume() -> None:
        while not interrupted.is_over.is_set():
            with suppress(RuntimeError):  # the other one was quicker
                count_loans(interrupted, own_pool)

    consumers = [in_background(consume) for _ in range(2)]
    for number in range(150):
        store.append(event("BookCopyLentToReader"), event("Other"))
        if number % 10 == 0:
            interrupted.interrupt()
    wait_until(own_dsn, "SELECT position = 300 FROM loans")
    interrupted.is_over.set()
    interrupted.interrupt()
    for consumer in consumers:
        consumer.result(LONGEST_WAIT)
    assert ask(own_dsn, "SELECT counted FROM loans") == 150


class Rival(WrappedStore):
    """Somebody else is quicker: between the reading of the position and the first batch."""

    pool: Pool

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        with self.pool.connection() as connection:
            connection.execute("UPDATE loans SET counted = 1, position = 1")
        return self.inner.subscribe(filter, after)


def test_a_consumer_whose_position_was_moved_by_another_one_gives_up(
    store: PostgresEventStore, own_pool: Pool, own_dsn: str, count_loans: Consumer
) -> None:
    store.append(event("BookCopyLentToReader"), event("BookCopyLentToReader"))
    rival = Rival(store)
    rival.pool = own_pool
    with pytest.raises(RuntimeError, match="another process"):
        count_loans(rival, own_pool)
    assert ask(own_dsn, "SELECT counted FROM loans") == 1
