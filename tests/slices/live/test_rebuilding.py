"""A rebuild makes new rows beside the old ones, which go on answering, and swaps them; whatever comes in between."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from eventstore import SchemaMissing
from eventstore.postgres import PostgresEventStore
from slices.codec import UnreadableEvent
from slices.live.answering import LiveAnswers
from slices.live.model import Rows
from slices.live.reading import Reading
from slices.live.rebuilding import Interrupted, RebuildUnderWay, rebuild
from slices.live.runner import LiveRunner
from tests.eventstore.faults import LONGEST_WAIT
from tests.eventstore.subscriptions.following import eventually
from tests.slices.live.counting import (
    MODEL,
    append,
    count,
    counted,
    counting,
    double,
    is_right,
    lent,
    other,
    reached,
    tables,
    unreadable,
)

pytestmark = pytest.mark.usefixtures("narrow")

SOON = 0.01


def test_the_rows_are_made_anew_and_the_former_ones_are_gone(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(*(lent() for _ in range(10)), other())
    told: list[int] = []
    made = rebuild(counting(double), Reading(store), dsn, table, progress=told.append)
    assert (made.number, made.version, made.position, made.is_serving) == (2, 1, 11, True)
    assert counted(live) == {"BookCopyLentToReader": 20}
    assert told == [3, 6, 9, 11]
    assert tables(dsn, table) == [f"{table}_counting_2"]


def test_an_empty_log_can_be_rebuilt(dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers) -> None:
    assert rebuild(MODEL, Reading(store), dsn, table).position == 0
    assert (live.status(MODEL).generation, counted(live)) == (2, {})


def test_the_former_rows_answer_and_are_kept_up_to_date_until_the_swap(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    seen: list[tuple[int, int]] = []

    def meanwhile(rows: Rows, events: Sequence[Any]) -> None:
        """While a batch of the new generation is being built, something happens, and can be seen in the old one."""
        count(rows, events)
        if len(seen) < 5:
            [number] = store.append(lent())
            reached(live, number)
            is_right(live, store)
            seen.append((live.status(MODEL).generation, number))

    store.append(*(lent() for _ in range(10)))
    with LiveRunner(MODEL, store, dsn, table):
        reached(live, 10)
        made = rebuild(counting(meanwhile), Reading(store), dsn, table)
        assert [generation for generation, _ in seen] == [1] * 5
        assert live.status(MODEL).generation == made.number == 2
        is_right(live, store)
        for _ in range(3):
            store.append(lent())
            is_right(live, store)
    assert counted(live) == {"BookCopyLentToReader": 18}
    assert tables(dsn, table) == [f"{table}_counting_2"]


def test_what_the_runner_took_in_before_the_swap_is_in_the_new_rows_too(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    """The runner comes further than the rebuild has read: without a last look the answers would go back."""

    def one_more(position: int) -> None:
        if position >= 10:
            reached(live, append(store, lent()))

    store.append(*(lent() for _ in range(10)))
    with LiveRunner(MODEL, store, dsn, table):
        reached(live, 10)
        made = rebuild(MODEL, Reading(store), dsn, table, progress=one_more)
        assert made.position > 10
        assert counted(live)["BookCopyLentToReader"] == live.status(MODEL).position
        is_right(live, store)


def test_answers_never_go_back_while_rebuilds_and_writers_race(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            store.append(lent())

    def look() -> int:
        last = 0
        while not stop.is_set():
            answer = live.ask(MODEL, lambda rows: rows.run("SELECT counted FROM {rows}"))
            assert answer.position >= last
            assert answer.view == ([(answer.position,)] if answer.position else [])
            last = answer.position
        return last

    with LiveRunner(MODEL, store, dsn, table, try_again=SOON), ThreadPoolExecutor(3) as threads:
        writers, looking = [threads.submit(write) for _ in range(2)], threads.submit(look)
        try:
            for number in range(2, 6):
                assert rebuild(MODEL, Reading(store), dsn, table).number == number
        finally:
            stop.set()
        assert looking.result(LONGEST_WAIT) > 0
        for writer in writers:
            writer.result(LONGEST_WAIT)
        is_right(live, store)
    assert tables(dsn, table) == [f"{table}_counting_5"]


def test_an_interrupted_rebuild_leaves_the_former_rows_and_the_next_one_clears_up(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    def is_interrupted(rows: Rows, events: Sequence[Any]) -> None:
        count(rows, events)
        raise KeyboardInterrupt

    store.append(*(lent() for _ in range(10)))
    with LiveRunner(MODEL, store, dsn, table):
        reached(live, 10)
        with pytest.raises(KeyboardInterrupt):
            rebuild(counting(is_interrupted), Reading(store), dsn, table)
        assert tables(dsn, table) == [f"{table}_counting_1", f"{table}_counting_2"]
        store.append(lent())
        is_right(live, store)
        assert live.status(MODEL).generation == 1
        assert rebuild(MODEL, Reading(store), dsn, table).number == 2
        is_right(live, store)
    assert len(tables(dsn, table)) == 1


def test_a_rebuild_whose_reading_is_closed_ends(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(*(lent() for _ in range(10)))
    source = Reading(store)
    with pytest.raises(Interrupted, match="position 3"):
        rebuild(MODEL, source, dsn, table, progress=lambda _: source.close())
    assert live.status(MODEL).generation == 1


def test_of_two_rebuilds_the_second_is_refused(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    def another_one(rows: Rows, events: Sequence[Any]) -> None:
        count(rows, events)
        with pytest.raises(RebuildUnderWay, match="counting is being rebuilt by somebody else"):
            rebuild(MODEL, Reading(store), dsn, table)

    store.append(lent())
    assert rebuild(counting(another_one), Reading(store), dsn, table).number == 2
    assert rebuild(MODEL, Reading(store), dsn, table).number == 3
    is_right(live, store)


def test_rows_that_somebody_still_reads_do_not_hold_the_swap_up(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    store.append(lent())
    with psycopg.connect(dsn) as backup:
        backup.execute(f'SELECT FROM "{table}_counting_1"'.encode())
        assert rebuild(MODEL, Reading(store), dsn, table).number == 2
        is_right(live, store)
        assert "the former rows of counting are still there" in caplog.text
        assert rebuild(MODEL, Reading(store), dsn, table).number == 3
        assert tables(dsn, table) == [f"{table}_counting_1", f"{table}_counting_3"]
    rebuild(MODEL, Reading(store), dsn, table)
    assert tables(dsn, table) == [f"{table}_counting_4"]


def test_an_event_that_cannot_be_read_ends_a_rebuild_and_changes_nothing(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent(), unreadable(), lent())
    with pytest.raises(UnreadableEvent, match="event 2"):
        rebuild(MODEL, Reading(store), dsn, table)
    assert (live.status(MODEL).generation, live.status(MODEL).position) == (1, 0)


def test_what_was_never_made_cannot_be_rebuilt(dsn: str, store: PostgresEventStore, table: str) -> None:
    with pytest.raises(SchemaMissing):
        rebuild(MODEL, Reading(store), dsn, table)


def test_a_position_beyond_the_head_stops_the_model_and_a_rebuild_mends_it(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    """The log was restored from a backup that is older than the rows."""
    store.append(lent())
    with psycopg.connect(dsn) as connection:
        connection.execute(f'UPDATE "{table}_live_models" SET position = 7'.encode())
    with LiveRunner(MODEL, store, dsn, table):
        eventually(lambda: live.status(MODEL).stopped_because is not None, "it stops")
        assert "position 7" in str(live.status(MODEL).stopped_because)
    assert rebuild(MODEL, Reading(store), dsn, table).position == 1
    is_right(live, store)
    assert live.status(MODEL).stopped_because is None
