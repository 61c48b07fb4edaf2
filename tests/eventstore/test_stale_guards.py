"""A guard that must look far asks the indexes first, and what others append meanwhile is not lost on it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks

Meanwhile = Callable[[int], object]
MORE_THAN_A_GUARD_LOOKS_THROUGH = 1001


class OvertakenPool(ConnectionPool[Connection[Any]]):
    """Others do something before each call; they are told how many there were."""

    calls = 0
    meanwhile: Meanwhile

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        self.calls += 1
        self.meanwhile(self.calls)
        return super().getconn(timeout)


@contextmanager
def overtaken(dsn: str, table: str, meanwhile: Meanwhile) -> Generator[PostgresEventStore]:
    with OvertakenPool(dsn, min_size=1, max_size=1, open=True) as pool:
        pool.meanwhile = meanwhile
        yield PostgresEventStore(pool, table)


def others(store: PostgresEventStore) -> None:
    first, *more = [checks.event() for _ in range(MORE_THAN_A_GUARD_LOOKS_THROUGH)]
    store.append(first, *more)


def test_a_guard_that_never_catches_up_gives_up_with_a_known_outcome(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    about_a_book = checks.about("BookID", "b")
    condition = store.query(about_a_book).append_condition
    with (
        overtaken(dsn, table, lambda _: others(store)) as slow,
        pytest.raises(StoreUnavailable, match="others append so much") as gave_up,
    ):
        slow.append(checks.event("Lent", BookID="b"), condition=condition)
    assert not gave_up.value.outcome_unknown
    assert len(store.query(about_a_book)) == 0


@pytest.mark.parametrize("size", [1, 3])
def test_a_stale_guard_knows_its_own_event_from_an_attempt_that_was_still_at_work(
    dsn: str, store: PostgresEventStore, table: str, size: int
) -> None:
    batch = [checks.event("Lent", BookID="b", Index=index) for index in range(size)]
    condition = store.query(checks.about("BookID", "b")).append_condition

    def meanwhile(call: int) -> None:
        if call == 1:  # the append, which finds its guard stale
            others(store)
        if call == 2:  # the look at the indexes
            store.append(*batch)

    with overtaken(dsn, table, meanwhile) as slow:
        numbers = slow.append(*batch, condition=condition)
    assert numbers == [event.sequence_number for event in store.query(checks.about("BookID", "b"))]
    assert len(numbers) == size


@pytest.mark.parametrize("seconds", [0, -1, 0.0009, 3601, float("nan")])
def test_a_lock_timeout_without_meaning_is_refused(pool: Pool, seconds: float) -> None:
    with pytest.raises(ValueError, match="lock_timeout must be between"):
        PostgresEventStore(pool, lock_timeout=seconds)
