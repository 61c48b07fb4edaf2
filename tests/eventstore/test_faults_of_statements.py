"""A statement that is cancelled, times out, or whose session is ended: what the caller is told, and what is left."""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.faults import (
    LONGEST_WAIT,
    ask,
    commits_held,
    in_background,
    left_clean,
    pid_of,
    refusal,
    statements_time_out,
    table_locked,
    wait_until_gone,
    wait_until_waiting,
    works,
)

Moment = Callable[[str, str], AbstractContextManager[None]]
CANCEL = "SELECT pg_cancel_backend(%s)"
TERMINATE = "SELECT pg_terminate_backend(%s)"


@pytest.fixture
def single(dsn: str) -> Generator[Pool]:
    """A pool with one connection, whose session can be watched."""
    with open_pool(dsn, max_size=1) as pool:
        yield pool


@pytest.fixture(params=["ours", "ours at repeatable read", "a plain one at repeatable read"])
def any_pool(dsn: str, request: pytest.FixtureRequest) -> Generator[Pool]:
    """One connection; where the default is not READ COMMITTED, an append opens a transaction of its own."""
    other_level = f"{dsn} options='-c default_transaction_isolation=repeatable\\\\ read'"
    if request.param == "a plain one at repeatable read":
        with ConnectionPool[Connection[Any]](other_level, min_size=1, max_size=1, open=True) as plain:
            yield plain
    else:
        with open_pool(dsn if request.param == "ours" else other_level, max_size=1) as pool:
            yield pool


def test_a_cancelled_query_is_an_unavailable_store(
    dsn: str, single: Pool, store: PostgresEventStore, table: str
) -> None:
    pid = pid_of(single)
    with left_clean(single, table), table_locked(dsn, table):
        query = in_background(lambda: PostgresEventStore(single, table).query(checks.EVERYTHING))
        wait_until_waiting(dsn, pid, "Lock")
        ask(dsn, CANCEL, pid)
        cancelled = refusal(query)
    assert "canceling statement due to user request" in str(cancelled)
    assert not cancelled.outcome_unknown


def test_a_query_that_times_out_is_an_unavailable_store(
    dsn: str, single: Pool, store: PostgresEventStore, table: str
) -> None:
    with left_clean(single, table), table_locked(dsn, table), statements_time_out(single):
        with pytest.raises(StoreUnavailable, match="statement timeout") as timeout:
            PostgresEventStore(single, table).query(checks.EVERYTHING)
        assert not timeout.value.outcome_unknown


def test_an_append_that_times_out_has_a_known_outcome(
    dsn: str, any_pool: Pool, store: PostgresEventStore, table: str
) -> None:
    works(any_pool, table)
    with left_clean(any_pool, table), checks.lock_held(dsn, table), statements_time_out(any_pool):
        with pytest.raises(StoreUnavailable, match="statement timeout") as timeout:
            PostgresEventStore(any_pool, table).append(checks.event("Late"))
        assert not timeout.value.outcome_unknown
    assert "Late" not in {stored.event_type for stored in store.query(checks.EVERYTHING)}


def test_an_append_that_is_interrupted_from_the_keyboard_leaves_a_clean_connection(
    dsn: str, any_pool: Pool, store: PostgresEventStore, table: str
) -> None:
    works(any_pool, table)
    pid = pid_of(any_pool)

    def interrupt() -> None:
        wait_until_waiting(dsn, pid, "Lock")
        os.kill(os.getpid(), signal.SIGINT)

    with left_clean(any_pool, table), checks.lock_held(dsn, table):
        fingers = in_background(interrupt)
        with pytest.raises(KeyboardInterrupt):
            PostgresEventStore(any_pool, table).append(checks.event("Interrupted"))
        fingers.result(LONGEST_WAIT)
    assert "Interrupted" not in {stored.event_type for stored in store.query(checks.EVERYTHING)}


def test_an_append_cancelled_while_it_waits_for_its_turn_has_a_known_outcome(
    dsn: str, any_pool: Pool, store: PostgresEventStore, table: str
) -> None:
    event = checks.event("Cancelled")
    works(any_pool, table)
    pid = pid_of(any_pool)
    with left_clean(any_pool, table), checks.lock_held(dsn, table):
        append = in_background(lambda: PostgresEventStore(any_pool, table).append(event))
        wait_until_waiting(dsn, pid, "Lock")
        ask(dsn, CANCEL, pid)
        cancelled = refusal(append)
    assert not cancelled.outcome_unknown
    assert event.event_id not in {stored.event_id for stored in store.query(checks.EVERYTHING)}


def test_an_append_cancelled_at_its_commit_has_a_known_outcome(
    dsn: str, any_pool: Pool, store: PostgresEventStore, table: str
) -> None:
    """The function has answered with a sequence number already, and the commit then fails."""
    works(any_pool, table)
    pid = pid_of(any_pool)
    with left_clean(any_pool, table), commits_held(dsn, table):
        append = in_background(lambda: PostgresEventStore(any_pool, table).append(checks.event("Cancelled")))
        wait_until_waiting(dsn, pid, "Lock")
        ask(dsn, CANCEL, pid)
        cancelled = refusal(append)
    assert not cancelled.outcome_unknown
    assert "Cancelled" not in {stored.event_type for stored in store.query(checks.EVERYTHING)}


def test_a_query_whose_session_is_ended_leaves_no_doubt_for_there_is_none(
    dsn: str, single: Pool, store: PostgresEventStore, table: str
) -> None:
    pid = pid_of(single)
    with table_locked(dsn, table):
        query = in_background(lambda: PostgresEventStore(single, table).query(checks.EVERYTHING))
        wait_until_waiting(dsn, pid, "Lock")
        ask(dsn, TERMINATE, pid)
        ended = refusal(query)
    assert not ended.outcome_unknown
    works(single, table)


@pytest.mark.parametrize("moment", [checks.lock_held, commits_held], ids=["waiting for its turn", "at its commit"])
def test_an_append_whose_session_is_ended_has_an_unknown_outcome_and_can_be_repeated(
    dsn: str, single: Pool, store: PostgresEventStore, table: str, moment: Moment
) -> None:
    """PostgreSQL itself would have rolled back, but the same error may come from a pooler in between: no risk."""
    event = checks.event("Repeated")
    distant = PostgresEventStore(single, table)
    pid = pid_of(single)
    with moment(dsn, table):
        append = in_background(lambda: distant.append(event))
        wait_until_waiting(dsn, pid, "Lock")
        ask(dsn, TERMINATE, pid)
        ended = refusal(append)
    assert ended.outcome_unknown
    assert len(store.query(checks.EVERYTHING)) == 0
    assert distant.append(event) == [stored.sequence_number for stored in store.query(checks.EVERYTHING)]


class Dawdling(Connection[Any]):
    """Does nothing after BEGIN until the server has lost patience."""

    watcher = ""

    def execute(self, *args: Any, **options: Any) -> Any:
        cursor = super().execute(*args, **options)
        if str(args[0]).startswith("BEGIN"):
            wait_until_gone(self.watcher, self.info.backend_pid)
        return cursor


def test_a_transaction_that_idles_too_long_has_a_known_outcome(dsn: str, store: PostgresEventStore, table: str) -> None:
    Dawdling.watcher = dsn
    impatient = (
        f"{dsn} options='-c default_transaction_isolation=repeatable\\\\ read"
        " -c idle_in_transaction_session_timeout=10'"
    )
    with ConnectionPool[Connection[Any]](
        impatient, connection_class=Dawdling, min_size=1, max_size=1, open=True
    ) as pool:
        with pytest.raises(StoreUnavailable, match="idle-in-transaction timeout") as ended:
            PostgresEventStore(pool, table).append(checks.event())
        assert not ended.value.outcome_unknown
        assert len(PostgresEventStore(pool, table).query(checks.EVERYTHING)) == 0


def test_a_session_that_ended_in_the_pool_is_replaced_before_anything_is_sent(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    with open_pool(dsn, min_size=3, max_size=3) as pool:
        pool.wait()
        distant = PostgresEventStore(pool, table)
        for work in (lambda: distant.append(checks.event()), lambda: distant.query(checks.EVERYTHING)):
            with psycopg.connect(dsn, autocommit=True) as killer:
                killer.execute(
                    "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                    " WHERE application_name = 'eventstore' AND pid = ANY(%s)",
                    [[connection.info.backend_pid for connection in list(pool._pool)]],
                )
            assert work()


def test_a_session_with_news_that_is_alive_is_used(dsn: str, single: Pool, store: PostgresEventStore) -> None:
    with single.connection() as connection:
        connection.execute("LISTEN news")
    before = pid_of(single)
    ask(dsn, "SELECT pg_notify('news', 'unasked')")
    assert pid_of(single) == before
    with single.connection() as connection:
        connection.execute("UNLISTEN news")


def test_where_sockets_cannot_be_polled_the_first_use_finds_the_end(
    dsn: str, single: Pool, store: PostgresEventStore, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.postgres.pool._NEW_POLL", None)
    event = checks.event()
    ask(dsn, "SELECT pg_terminate_backend(%s, 60000)", pid_of(single))
    with pytest.raises(StoreUnavailable) as ended:
        PostgresEventStore(single, table).append(event)
    assert ended.value.outcome_unknown
    assert PostgresEventStore(single, table).append(event) == [1]


def test_a_pool_whose_every_session_ends_at_once_is_an_unavailable_store(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    """A server that lets everybody in and then drops them must not keep a caller going round for ever."""

    def end(connection: Connection[Any]) -> None:
        ask(dsn, "SELECT pg_terminate_backend(%s, 60000)", connection.info.backend_pid)

    with (
        ConnectionPool[Connection[Any]](dsn, configure=end, min_size=2, max_size=2, open=True) as pool,
        pytest.raises(StoreUnavailable),
    ):
        PostgresEventStore(pool, table).query(checks.EVERYTHING)
