"""An append that stopped waiting for its standby is not acknowledged, and appending it again does not skip the wait."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from eventstore import ConcurrencyConflict, StorableEvent
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.faults import (
    ask,
    in_background,
    left_clean,
    pid_of,
    refusal,
    wait_until,
    wait_until_waiting,
    works,
)


@pytest.fixture(scope="module")
def server_dsn() -> Generator[str]:
    """A server that can be told to replicate to somebody who does not exist."""
    with throwaway_server() as server, open_pool(server.dsn) as pool:
        PostgresEventStore(pool).create_schema()
        yield server.dsn


@contextmanager
def standby_missing(dsn: str) -> Generator[None]:
    """Commits wait for a standby that never comes."""
    _set_standby(dsn, "'nobody'")
    try:
        yield
    finally:
        _set_standby(dsn, "''")


def _set_standby(dsn: str, names: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(f"ALTER SYSTEM SET synchronous_standby_names = {names}".encode())
        owner.execute("SELECT pg_reload_conf()")
    # Sessions consult what the checkpointer has published.
    wait_until(dsn, "SELECT current_setting('synchronous_standby_names') = %s", names.strip("'"))


@pytest.fixture(params=["ours", "a plain one", "at repeatable read", "without warnings"])
def pool(server_dsn: str, request: pytest.FixtureRequest) -> Generator[Pool]:
    """One connection, of whatever pool."""
    options = {
        "at repeatable read": "-c default_transaction_isolation=repeatable\\\\ read",
        "without warnings": "-c client_min_messages=error",
    }.get(request.param, "")
    if request.param == "a plain one":
        with ConnectionPool[psycopg.Connection[tuple[object, ...]]](
            server_dsn, min_size=1, max_size=1, open=True
        ) as plain:
            yield plain
    else:
        with open_pool(f"{server_dsn} options='{options}'", max_size=1) as opened:
            yield opened


@pytest.mark.parametrize("size", [1, 3])
def test_an_append_that_gave_up_waiting_for_its_standby_is_not_acknowledged(
    server_dsn: str, pool: Pool, size: int
) -> None:
    store = PostgresEventStore(pool)
    batch = tuple(checks.event("Unreplicated", Index=index) for index in range(size))
    works(pool, "events")
    with left_clean(pool, "events"), standby_missing(server_dsn):
        cancelled = cancelled_while_waiting(server_dsn, pool, batch)
        assert "canceling wait for synchronous replication" in cancelled
        assert stored(store, batch) == list(batch_ids(batch))  # visible here, and perhaps nowhere else
        again = cancelled_while_waiting(server_dsn, pool, batch)
        assert "canceling wait for synchronous replication" in again
    numbers = store.append(*batch)
    assert len(numbers) == size
    assert stored(store, batch) == list(batch_ids(batch))


def cancelled_while_waiting(dsn: str, pool: Pool, batch: tuple[StorableEvent, ...]) -> str:
    """Append, cancel the wait for the standby, and return what the caller is told."""
    pid = pid_of(pool)
    append = in_background(lambda: PostgresEventStore(pool).append(*batch))
    wait_until_waiting(dsn, pid, "SyncRep")
    ask(dsn, "SELECT pg_cancel_backend(%s)", pid)
    refused = refusal(append)
    assert refused.outcome_unknown
    return str(refused)


def batch_ids(batch: tuple[StorableEvent, ...]) -> list[object]:
    return [event.event_id for event in batch]


def stored(store: PostgresEventStore, batch: tuple[StorableEvent, ...]) -> list[object]:
    ids = {event.event_id for event in batch}
    return [event.event_id for event in store.query(checks.EVERYTHING) if event.event_id in ids]


def test_an_append_whose_session_is_ended_while_it_waits_for_its_standby_has_an_unknown_outcome(
    server_dsn: str, pool: Pool
) -> None:
    store = PostgresEventStore(pool)
    event = checks.event("Ended")
    with standby_missing(server_dsn):
        pid = pid_of(pool)
        append = in_background(lambda: store.append(event))
        wait_until_waiting(server_dsn, pid, "SyncRep")
        ask(server_dsn, "SELECT pg_terminate_backend(%s)", pid)
        assert refusal(append).outcome_unknown
    [number] = store.append(event)
    assert number in {one.sequence_number for one in store.query(checks.EVERYTHING)}


def test_a_refused_append_waits_for_no_standby(server_dsn: str, pool: Pool) -> None:
    """A conflict wrote nothing, so there is nothing to replicate."""
    store = PostgresEventStore(pool)
    condition = store.query(checks.about("BookID", "conflict")).append_condition
    store.append(checks.event("Lent", BookID="conflict"))
    with standby_missing(server_dsn), pytest.raises(ConcurrencyConflict):
        store.append(checks.event("Lent", BookID="conflict"), condition=condition)
