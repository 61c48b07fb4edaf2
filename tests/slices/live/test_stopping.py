"""What waiting does not mend stops the model: it is logged once, everybody can see why, and it fails no question."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from eventstore import Batch
from eventstore.postgres import PostgresEventStore
from slices.live import runner
from slices.live.answering import LiveAnswers
from slices.live.model import Rows
from slices.live.runner import LiveRunner
from tests.eventstore.subscriptions.following import eventually
from tests.slices.live.counting import MODEL, count, counted, counting, is_right, lent, unreadable
from tests.slices.live.meanwhile import Meanwhile


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that has stopped looks again at once."""
    monkeypatch.setattr(runner, "_STOPPED", 0.01)


def has_stopped(live: LiveAnswers, why: str) -> None:
    eventually(lambda: why in (live.status(MODEL).stopped_because or ""), "it stops")


def test_an_event_that_cannot_be_read_stops_the_model_before_it(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    store.append(lent(), lent(), unreadable(), lent())
    tried: list[int] = []

    def watched(rows: Rows, events: Sequence[Any]) -> None:
        tried.append(len(events))
        count(rows, events)

    with LiveRunner(counting(watched), store, dsn, table):
        has_stopped(live, "event 3 (BookCopyLentToReader) cannot be read")
        store.append(lent())
        answer = live.ask(MODEL, lambda rows: rows.run("SELECT counted FROM {rows}"), at_least=5)
    assert (answer.view, answer.position, answer.head) == ([(2,)], 2, 5)
    assert (answer.is_behind, answer.is_stopped) == (True, True)
    assert tried == [2]
    [line] = caplog.messages
    assert line.startswith("the live model counting is stopped: event 3 (BookCopyLentToReader) cannot be read")


def test_a_model_that_looks_again_in_vain_stays_stopped(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    looked: list[str | None] = []

    def sees_the_status(_batch: Batch) -> None:
        looked.append(live.status(MODEL).stopped_because)

    store.append(lent(), unreadable())
    with LiveRunner(MODEL, Meanwhile(store, sees_the_status), dsn, table):
        has_stopped(live, "event 2")
        before = len(looked)
        while len(looked) < before + 20:
            assert live.status(MODEL).stopped_because
    assert all(looked[before:])


def test_a_model_goes_on_by_itself_once_it_is_mended(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    is_broken = True

    def perhaps(rows: Rows, events: Sequence[Any]) -> None:
        count(rows, events)
        if is_broken:
            raise ZeroDivisionError("a mistake in the model")

    store.append(lent(), lent())
    with LiveRunner(counting(perhaps), store, dsn, table):
        has_stopped(live, "a mistake in the model")
        assert counted(live) == {}
        is_broken = False
        is_right(live, store)
        assert live.status(MODEL).stopped_because is None
    assert len(caplog.messages) == 1


def test_another_process_with_a_remedy_takes_over(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    def mistaken(_rows: Rows, _events: Sequence[Any]) -> None:
        raise ZeroDivisionError("a mistake in the model")

    store.append(lent())
    with LiveRunner(counting(mistaken), store, dsn, table):
        has_stopped(live, "a mistake in the model")
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)


def test_what_postgresql_refuses_stops_the_model(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    def too_much(rows: Rows, _events: Sequence[Any]) -> None:
        rows.run("INSERT INTO {rows} VALUES ('x', 9223372036854775807 + 1)")

    store.append(lent())
    with LiveRunner(counting(too_much), store, dsn, table):
        has_stopped(live, "out of range")


def test_rows_that_somebody_has_dropped_stop_the_model(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(f'DROP TABLE "{table}_counting_1"'.encode())
    store.append(lent())
    with LiveRunner(MODEL, store, dsn, table):
        has_stopped(live, "does not exist")


def test_a_new_version_that_cannot_be_built_leaves_the_old_rows_and_says_why(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent())
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)

    def mistaken(_rows: Rows, _events: Sequence[Any]) -> None:
        raise ZeroDivisionError("a mistake in version 2")

    with LiveRunner(counting(mistaken, version=2), store, dsn, table):
        has_stopped(live, "a mistake in version 2")
    assert (live.status(MODEL).version, counted(live)) == (1, {"BookCopyLentToReader": 1})


def test_the_reason_is_cut_to_a_length_that_can_be_shown(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    def talkative(_rows: Rows, _events: Sequence[Any]) -> None:
        raise ValueError("x" * 100_000)

    store.append(lent())
    with LiveRunner(counting(talkative), store, dsn, table):
        has_stopped(live, "xxx")
    assert len(str(live.status(MODEL).stopped_because)) == 500
