"""Whoever measures is told how long an append waited for the lock, which only the server knows."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from eventstore import ConcurrencyConflict
from eventstore.postgres import AppendTimes, PostgresEventStore
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks

BLOCKED = "SELECT FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND strpos(query, %s) > 0"


def wait_until_blocked_or_done(dsn: str, table: str, work: "Future[Any]") -> None:
    """Return as soon as somebody waits who appends to this table."""
    with psycopg.connect(dsn, autocommit=True) as watcher:
        while not work.done() and not watcher.execute(BLOCKED, [table]).fetchall():
            pass


def test_the_wait_for_the_lock_is_told_on_the_thread_of_the_caller(
    dsn: str, pool: Pool, store: PostgresEventStore, table: str
) -> None:
    told: list[tuple[int, AppendTimes]] = []
    watched = PostgresEventStore(pool, table, on_append=lambda times: told.append((threading.get_ident(), times)))
    with ThreadPoolExecutor(1) as threads:
        ident = threads.submit(threading.get_ident).result()
        with checks.lock_held(dsn, table):
            waiting = threads.submit(watched.append, checks.event())
            wait_until_blocked_or_done(dsn, table, waiting)
            assert told == []
        waiting.result()
    [(told_on, times)] = told
    assert (told_on, times.status) == (ident, "appended")
    assert 0 < times.lock_waited < 5  # seconds: longer than the lock timeout nobody waits


def test_every_answer_is_told_also_a_refusal_a_batch_and_what_is_stored_already(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    told: list[str] = []
    watched = PostgresEventStore(pool, table, on_append=lambda times: told.append(times.status))
    condition = watched.query(checks.about("BookID", "b")).append_condition
    lent, other = checks.event("Lent", BookID="b"), checks.event("Lent", BookID="b")
    watched.append(lent, checks.event(), condition=condition)
    watched.append(lent, condition=condition)
    with pytest.raises(ConcurrencyConflict):
        watched.append(other, condition=condition)
    assert told == ["appended", "already stored", "conflict"]
