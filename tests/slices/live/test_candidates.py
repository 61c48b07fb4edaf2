"""Of all candidates one runs; when it is gone another takes over."""

import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from eventstore.postgres.schema import TableName
from slices.live.answering import LiveAnswers
from slices.live.connection import LOCK_NAMESPACE, PoolerInBetween, lock_keys, own_connection
from slices.live.model import Rows
from slices.live.runner import LiveRunner
from slices.live.schema import create_tables
from tests.eventstore.subscriptions.following import NEVER, append_at_last, eventually
from tests.eventstore.test_pgbouncer import behind_pgbouncer
from tests.slices.live.counting import MODEL, count, counted, counting, end, is_right, lent, own_sessions, runners

SOON = 0.01
PINNED = -2047493436
"""For ever: processes of two releases meet at this lock."""


def test_only_one_runs_however_many_there_are(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    threads: set[int] = set()

    def who(rows: Rows, events: Sequence[Any]) -> None:
        threads.add(threading.get_ident())
        count(rows, events)

    candidates = [LiveRunner(counting(who), store, dsn, table, try_again=SOON) for _ in range(4)]
    with candidates[0], candidates[1], candidates[2], candidates[3]:
        eventually(lambda: len(own_sessions(dsn, table)) == 4, "all candidates are there")
        for _ in range(10):
            store.append(lent())
            is_right(live, store)
            assert len(runners(dsn, table)) == 1
    assert len(threads) == 1


def test_when_the_session_of_the_runner_ends_another_takes_over(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    with LiveRunner(MODEL, store, dsn, table, try_again=SOON), LiveRunner(MODEL, store, dsn, table, try_again=SOON):
        for _ in range(3):
            eventually(lambda: len(own_sessions(dsn, table)) == 2, "both are there")
            eventually(lambda: len(runners(dsn, table)) == 1, "one runs")
            [former] = runners(dsn, table)
            [waiting] = set(own_sessions(dsn, table)) - {former}
            end(dsn, former)
            eventually(lambda expected=waiting: runners(dsn, table) == [expected], "the other takes over")  # type: ignore[misc]
            store.append(lent(), lent())
            is_right(live, store)
    assert counted(live) == {"BookCopyLentToReader": 6}


def test_when_the_runner_is_closed_another_takes_over(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    first = LiveRunner(MODEL, store, dsn, table, try_again=SOON)
    with first, LiveRunner(MODEL, store, dsn, table, try_again=SOON):
        eventually(lambda: len(runners(dsn, table)) == 1, "one runs")
        first.close()
        store.append(lent())
        is_right(live, store)


def test_an_outage_is_logged_once_and_lived_through(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "slices.live")
    with psycopg.connect(dsn) as blocker, LiveRunner(MODEL, store, dsn, table, try_again=SOON):
        blocker.execute(f'LOCK TABLE "{table}_live_models"'.encode())
        eventually(lambda: caplog.messages != [], "it is told")
        store.append(lent())
        blocker.rollback()
        is_right(live, store)
    what = "counting cannot be kept up to date"
    assert caplog.messages[0].startswith(f"{what}: canceling statement due to lock timeout")
    assert caplog.messages[1:] == [f"over: {what}"]


def test_a_server_that_is_killed_and_comes_back_finds_its_runner_again() -> None:
    with throwaway_server() as server, open_pool(server.dsn) as pool:
        store = PostgresEventStore(pool, poll_interval=NEVER)
        store.create_schema()
        create_tables(pool, MODEL)
        live = LiveAnswers(pool)
        with LiveRunner(MODEL, store, server.dsn, try_again=SOON), LiveRunner(MODEL, store, server.dsn, try_again=SOON):
            for _ in range(3):
                append_at_last(store, lent(), lent())
                is_right(live, store)
                server.kill()
                server.restart()
            append_at_last(store, lent())
            is_right(live, store)
        assert counted(live) == {"BookCopyLentToReader": 7}


def test_a_server_that_does_not_answer_fails_nobody(
    dsn: str, store: PostgresEventStore, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with LiveRunner(MODEL, store, make_conninfo(dsn, host="/nonexistent"), table) as runner:
        eventually(lambda: "counting cannot be kept up to date" in caplog.text, "it is told")
        eventually(lambda: runner._failures > 3, "it tries again")
    assert not runner._thread.is_alive()
    assert len(caplog.messages) == 1


def test_the_keys_of_a_lock_are_those_of_table_model_and_purpose() -> None:
    events = TableName.parse("events")
    assert lock_keys(events, "book_search", "run") == {"namespace": LOCK_NAMESPACE, "key": PINNED}
    keys = {
        lock_keys(TableName.parse(table), model, purpose)["key"]
        for table in ("events", "other.events", "events_2")
        for model in ("book_search", "counting")
        for purpose in ("run", "rebuild", "schema")
    }
    assert len(keys) == 18


def test_a_session_of_its_own_has_settings_of_its_own(dsn: str, table: str) -> None:
    elsewhere = make_conninfo(dsn, options="-c default_transaction_isolation=serializable -c statement_timeout=1min")
    with own_connection(elsewhere, TableName.parse(table), MODEL.name) as connection:
        found = dict(
            connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN"
                " ('transaction_isolation', 'statement_timeout', 'lock_timeout', 'synchronous_commit')"
            ).fetchall()
        )
    assert found == {
        "transaction_isolation": "read committed",
        "statement_timeout": "0",
        "lock_timeout": "2000",
        "synchronous_commit": "off",
    }


@pytest.mark.pgbouncer
def test_a_pooler_in_between_is_refused(table: str) -> None:
    with (
        behind_pgbouncer(max_size=2) as (_, bouncer, _pool),
        pytest.raises(PoolerInBetween),
        own_connection(bouncer.dsn, TableName.parse(table), MODEL.name),
    ):
        pass
