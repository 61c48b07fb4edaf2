"""Rows of an older version are rebuilt by the runner of a newer release; rows of a newer one are left to it."""

from collections.abc import Sequence
from typing import Any

import pytest

from eventstore.postgres import PostgresEventStore
from slices.live import runner
from slices.live.answering import LiveAnswers
from slices.live.connection import Purpose, held
from slices.live.model import Rows
from slices.live.reading import Reading
from slices.live.rebuilding import rebuild
from slices.live.runner import LiveRunner
from tests.eventstore.subscriptions.following import eventually
from tests.slices.live.counting import (
    MODEL,
    append,
    counted,
    counting,
    double,
    is_right,
    lent,
    reached,
    tables,
)

pytestmark = pytest.mark.usefixtures("narrow")

SOON = 0.01


def test_a_new_version_rebuilds_by_itself_and_the_old_rows_answer_until_then(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(*(lent() for _ in range(10)))
    with LiveRunner(MODEL, store, dsn, table):
        is_right(live, store)
    seen: list[tuple[int, dict[str, int]]] = []

    def while_it_is_built(rows: Rows, events: Sequence[Any]) -> None:
        double(rows, events)
        if len(seen) < 4:
            seen.append((live.status(MODEL).version, counted(live)))

    second = counting(while_it_is_built, version=2)
    with LiveRunner(second, store, dsn, table):
        eventually(lambda: live.status(second).version == 2, "it is rebuilt")
        assert counted(live, second) == {"BookCopyLentToReader": 20}
        reached(live, append(store, lent()))
        assert counted(live, second) == {"BookCopyLentToReader": 22}
    assert seen == [(1, {"BookCopyLentToReader": 10})] * 4
    assert tables(dsn, table) == [f"{table}_counting_2"]


def test_a_rebuild_by_command_and_one_by_a_new_version_do_not_get_in_each_others_way(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    runners: list[LiveRunner] = []
    second = counting(double, version=2)

    def starts_a_runner(rows: Rows, events: Sequence[Any]) -> None:
        if not runners:
            runners.append(LiveRunner(second, store, dsn, table, try_again=SOON).__enter__())
        double(rows, events)

    store.append(*(lent() for _ in range(10)))
    try:
        made = rebuild(counting(starts_a_runner, version=2), Reading(store), dsn, table)
        reached(live, append(store, lent()))
        assert (made.number, live.status(second).generation) == (2, 2)
        assert counted(live, second) == {"BookCopyLentToReader": 22}
    finally:
        runners[0].close()


def test_what_was_rebuilt_while_a_new_version_waited_for_its_turn_is_not_built_again(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = counting(double, version=2)
    rebuilt: list[int] = []

    def held_late(connection: Any, name: Any, model: str, purpose: Purpose) -> Any:
        """Between the look at the rows and the lock, somebody gives the command."""
        if purpose == "rebuild" and not rebuilt:
            rebuilt.append(rebuild(second, Reading(store), dsn, table).number)
        return held(connection, name, model, purpose)

    monkeypatch.setattr(runner, "held", held_late)
    store.append(lent())
    with LiveRunner(second, store, dsn, table, try_again=SOON):
        eventually(lambda: rebuilt != [], "the command is carried out")
        reached(live, append(store, lent()))
    assert (rebuilt, live.status(second).generation) == ([2], 2)


def test_rows_of_a_newer_release_are_left_to_it(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    second = counting(double, version=2)
    rebuild(second, Reading(store), dsn, table)
    with LiveRunner(MODEL, store, dsn, table, try_again=SOON):
        eventually(lambda: "left to a newer release" in caplog.text, "the older one stands by")
        store.append(lent())
        with LiveRunner(second, store, dsn, table, try_again=SOON):
            reached(live, 1)
        assert counted(live, second) == {"BookCopyLentToReader": 2}
    assert live.status(MODEL).version == 2
    assert len(caplog.messages) == 1
    assert rebuild(MODEL, Reading(store), dsn, table).version == 1, "somebody wants it so"
    is_right(live, store)
