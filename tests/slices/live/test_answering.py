"""An answer knows what its caller has just written, or says that it does not, and waits no longer than it should."""

from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from eventstore import SchemaMissing
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.live.answering import LiveAnswers
from slices.live.model import Rows
from slices.live.reading import Reading
from slices.live.rebuilding import rebuild
from slices.live.runner import LiveRunner
from tests.slices.live.counting import MODEL, append, counted, lent, reached


@dataclass
class Clock:
    """Time passes only while somebody sleeps."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list[float])

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def read(rows: Rows) -> Any:
    return rows.run("SELECT counted FROM {rows}")


def test_a_position_that_the_model_has_is_not_waited_for(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent(), lent())
    rebuild(MODEL, Reading(store), dsn, table)
    clock = Clock()
    impatient = replace(live, clock=clock, sleep=clock.sleep)
    for at_least in (None, 0, 1, 2):
        answer = impatient.ask(MODEL, read, at_least)
        assert (answer.view, answer.position, answer.head) == ([(2,)], 2, 2)
        assert not answer.is_behind
    assert clock.pauses == []


def test_a_position_is_waited_for_until_the_model_has_it(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent())
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            rebuild(MODEL, Reading(store), dsn, table)

    answer = replace(live, sleep=sleep, clock=Clock()).ask(MODEL, read, at_least=1)
    assert (answer.view, answer.position, answer.is_behind) == ([(1,)], 1, False)
    assert len(pauses) == 3


def test_a_model_that_does_not_get_there_in_time_answers_with_what_it_has(
    store: PostgresEventStore, live: LiveAnswers
) -> None:
    store.append(lent())
    clock = Clock()
    answer = replace(live, clock=clock, sleep=clock.sleep).ask(MODEL, read, at_least=1)
    assert (answer.view, answer.position, answer.head, answer.is_behind) == ([], 0, 1, True)
    assert 1.0 <= clock.now < 1.1
    assert max(clock.pauses) <= 0.05


def test_no_connection_is_held_while_waiting(store: PostgresEventStore, pool: Pool, live: LiveAnswers) -> None:
    store.append(lent())
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        stats = pool.get_stats()
        assert stats["pool_available"] == stats["pool_size"]

    assert replace(live, clock=clock, sleep=sleep).ask(MODEL, read, at_least=1).is_behind


@pytest.mark.parametrize("at_least", [2, 2**63 - 1])
def test_a_position_that_the_store_does_not_have_is_not_waited_for(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers, at_least: int
) -> None:
    store.append(lent())
    clock = Clock()
    assert replace(live, clock=clock, sleep=clock.sleep).ask(MODEL, read, at_least).is_behind
    assert clock.pauses == []


def test_a_model_that_has_stopped_is_not_waited_for(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent())
    with psycopg.connect(dsn) as connection:
        connection.execute(f"UPDATE \"{table}_live_models\" SET stopped_because = 'event 1 cannot be read'".encode())
    clock = Clock()
    answer = replace(live, clock=clock, sleep=clock.sleep).ask(MODEL, read, at_least=1)
    assert (answer.is_behind, answer.is_stopped) == (True, True)
    assert clock.pauses == []


def test_a_writer_reads_what_it_wrote(dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers) -> None:
    patient = replace(live, patience=60.0)
    with LiveRunner(MODEL, store, dsn, table):
        for expected in range(1, 20):
            [number] = store.append(lent())
            answer = patient.ask(MODEL, read, at_least=number)
            assert (answer.view, answer.is_behind) == ([(expected,)], False)


def test_all_that_is_read_is_of_one_moment(dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers) -> None:
    def read_slowly(rows: Rows) -> tuple[Any, Any]:
        first = read(rows)
        reached(live, append(store, lent()))
        return first, read(rows)

    with LiveRunner(MODEL, store, dsn, table):
        reached(live, append(store, lent()))
        answer = live.ask(MODEL, read_slowly)
    assert (answer.view, answer.position, answer.head) == (([(1,)], [(1,)]), 1, 1)
    assert counted(live) == {"BookCopyLentToReader": 2}


def test_an_answer_only_reads(live: LiveAnswers) -> None:
    with pytest.raises(Exception, match="read-only transaction"):
        live.ask(MODEL, lambda rows: rows.run("DELETE FROM {rows}"))


def test_rows_that_are_swapped_and_dropped_while_they_are_asked_for_are_looked_up_again(
    dsn: str, store: PostgresEventStore, table: str, live: LiveAnswers
) -> None:
    store.append(lent())
    asked: list[str] = []

    def read_late(rows: Rows) -> Any:
        asked.append(rows.table)
        if len(asked) == 1:
            rebuild(MODEL, Reading(store), dsn, table)
        return read(rows)

    answer = live.ask(MODEL, read_late)
    assert asked == [f"{table}_counting_1", f"{table}_counting_2"]
    assert (answer.view, answer.position) == ([(1,)], 1)


def test_a_model_without_tables_says_so(pool: Pool, store: PostgresEventStore, table: str) -> None:
    with pytest.raises(SchemaMissing):
        LiveAnswers(pool, table).ask(MODEL, read)


def test_a_model_whose_rows_are_gone_says_so(dsn: str, table: str, live: LiveAnswers) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(f'DROP TABLE "{table}_counting_1"'.encode())
    with pytest.raises(SchemaMissing):
        live.ask(MODEL, read)
