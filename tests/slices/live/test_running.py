"""A runner takes in what is there and what comes, each event once, whenever it is interrupted."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from eventstore import Batch, FilterBuilder, InMemoryEventStore
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import TableName
from slices.live.answering import LiveAnswers
from slices.live.connection import own_connection
from slices.live.generations import Generation, Generations, Overtaken
from slices.live.model import Rows
from slices.live.reading import Reading
from slices.live.runner import LiveRunner
from slices.live.schema import create_tables
from tests.eventstore.faults import LONGEST_WAIT, ask
from tests.eventstore.subscriptions.following import eventually
from tests.slices.live.counting import MODEL, append, count, counted, counting, is_right, lent, other, reached, runners
from tests.slices.live.meanwhile import Meanwhile

EVERYTHING = FilterBuilder().matching_any_event()


def test_what_is_there_is_taken_in_and_then_what_comes(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, narrow: None
) -> None:
    store.append(*(lent() for _ in range(20)))
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)
        for _ in range(5):
            store.append(lent(), lent())
            is_right(live, store)
    assert counted(live) == {"BookCopyLentToReader": 30}


def test_the_position_moves_on_although_nothing_concerns_the_model(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    with LiveRunner(MODEL, store, dsn, table):
        assert reached(live, append(store, other())).position == 1
        assert reached(live, append(store, other())).head == 2
    assert counted(live) == {}


def test_a_runner_goes_on_where_the_one_before_has_ended(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, narrow: None
) -> None:
    for _ in range(3):
        store.append(*(lent() for _ in range(7)))
        with LiveRunner(MODEL, store, dsn, table):
            is_right(live, store)
    assert counted(live) == {"BookCopyLentToReader": 21}


def test_closing_ends_the_thread_its_session_and_its_lock(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    for _ in range(5):
        runner = LiveRunner(MODEL, store, dsn, table)
        with runner:
            eventually(lambda: len(runners(dsn, table)) == 1, "it runs")
        assert not runner._thread.is_alive()
        eventually(lambda: runners(dsn, table) == [], "the server has seen the end of the session")


def test_a_runner_that_is_closed_before_it_has_begun_ends(dsn: str, store: PostgresEventStore, table: str) -> None:
    for _ in range(20):
        with LiveRunner(MODEL, store, dsn, table) as runner:
            pass
        assert not runner._thread.is_alive()


def test_what_is_read_after_the_end_ends_at_once() -> None:
    memory = InMemoryEventStore()
    memory.append(lent())
    source = Reading(memory)
    source.close()
    with source.after(EVERYTHING, 0) as subscription:
        assert list(subscription) == []
    source.pause(LONGEST_WAIT)
    source.close()


@pytest.mark.usefixtures("narrow")
def test_a_failure_between_apply_and_commit_undoes_all_and_is_repeated(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[tuple[int, int]] = []

    def fails_twice(rows: Rows, events: Sequence[Any]) -> None:
        count(rows, events)
        seen.append((live.status(MODEL).position, counted(live).get("BookCopyLentToReader", 0)))
        if len(seen) in {2, 3}:
            raise psycopg.OperationalError("the network is gone")

    store.append(*(lent() for _ in range(9)))
    with LiveRunner(counting(fails_twice), store, dsn, table):
        is_right(live, store)
    # What others see are always a position and the rows that belong to it.
    assert seen == [(0, 0), (3, 3), (3, 3), (3, 3), (6, 6)]
    assert [line for line in caplog.messages if "network" in line] == [
        "counting cannot be kept up to date: the network is gone"
    ]


def test_a_session_that_ends_between_apply_and_commit_is_replaced_and_nothing_is_done_twice(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, narrow: None
) -> None:
    ended: list[int] = []

    def ends_itself(rows: Rows, events: Sequence[Any]) -> None:
        count(rows, events)
        if len(ended) < 3:
            ended.append(rows.connection.info.backend_pid)
            ask(dsn, "SELECT pg_terminate_backend(%s, 60000)", ended[-1])

    store.append(*(lent() for _ in range(12)))
    with LiveRunner(counting(ends_itself), store, dsn, table, try_again=0.01):
        is_right(live, store)
        assert ended
        assert len(set(ended)) == 3
        store.append(lent())
        is_right(live, store)


RUNNING = """
import sys, threading
from eventstore.postgres import PostgresEventStore, open_pool
from slices.live.runner import LiveRunner
from tests.slices.live.counting import MODEL

dsn, table = sys.argv[1:]
with open_pool(dsn) as pool, LiveRunner(MODEL, PostgresEventStore(pool, table), dsn, table, try_again=0.01):
    threading.Event().wait()
"""


def test_nothing_is_lost_or_done_twice_when_processes_are_killed(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    command = [sys.executable, "-c", RUNNING, dsn, table]
    for _ in range(3):
        with subprocess.Popen(command, cwd=Path(__file__).parents[3]) as process:
            try:
                target, deadline = live.status(MODEL).position + 30, time.monotonic() + LONGEST_WAIT
                while live.status(MODEL).position < target:
                    store.append(lent(), lent())
                    assert process.poll() is None
                    assert time.monotonic() < deadline, f"the process never comes to {target}"
            finally:
                process.kill()
            assert process.wait(LONGEST_WAIT) == -signal.SIGKILL
    with LiveRunner(MODEL, store, dsn, table, try_again=0.01):
        is_right(live, store)


@pytest.fixture
def serving(dsn: str, table: str, live: LiveAnswers) -> Any:
    with own_connection(dsn, TableName.parse(table), MODEL.name) as connection:
        yield Generations(connection, TableName.parse(table), MODEL)


@pytest.mark.parametrize(
    "mistaken",
    [Generation(1, 1, 2, is_serving=True), Generation(1, 1, 0, is_serving=False), Generation(2, 1, 0, is_serving=True)],
    ids=["another position", "not the one that is built", "another generation"],
)
def test_who_is_mistaken_about_a_generation_changes_nothing(
    store: PostgresEventStore, live: LiveAnswers, serving: Generations, mistaken: Generation
) -> None:
    store.append(lent(), lent(), lent())
    batch = Batch(store.query(EVERYTHING).events, 3)
    with pytest.raises(Overtaken):
        serving.advance(mistaken, batch)
    assert (live.status(MODEL).position, counted(live)) == (0, {})
    first = serving.serving()
    serving.advance(first, batch)
    with pytest.raises(Overtaken):
        serving.advance(first, batch)
    is_right(live, store)


def test_a_runner_that_somebody_else_has_overtaken_reads_on_from_there(
    store: PostgresEventStore, live: LiveAnswers, serving: Generations, caplog: pytest.LogCaptureFixture, dsn: str
) -> None:
    """Both have read the same batch, as two could if one had lost its lock without knowing it; the other commits."""
    overtaken: list[int] = []

    def the_other_is_quicker(batch: Batch) -> None:
        if batch.position == 2 and not overtaken:
            overtaken.append(batch.position)
            serving.advance(serving.serving(), batch)

    with LiveRunner(MODEL, Meanwhile(store, the_other_is_quicker), dsn, live.table):
        for _ in range(3):
            store.append(lent())
            is_right(live, store)
    assert overtaken == [2]
    assert caplog.messages == [], "that is no failure"
    assert counted(live) == {"BookCopyLentToReader": 3}


def test_the_tables_of_two_stores_do_not_disturb_each_other(
    dsn: str, pool: Pool, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    second = PostgresEventStore(pool, f"{table}_2")
    second.create_schema()
    create_tables(pool, MODEL, f"{table}_2")
    second.append(lent())
    with LiveRunner(MODEL, store, dsn, table), LiveRunner(MODEL, second, dsn, f"{table}_2"):
        store.append(lent(), lent())
        is_right(live, store)
        is_right(LiveAnswers(pool, f"{table}_2"), second)
