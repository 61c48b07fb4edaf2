"""Appends that were sent together: each has its own guard, answer and error, as if it had been alone."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventIdReused,
    FilterBuilder,
    InvalidEvent,
    PositionUnknown,
    StorableEvent,
    StoreUnavailable,
)
from eventstore.postgres import AppendTimes, PostgresEventStore, open_pool
from eventstore.postgres.appending import may_join
from eventstore.postgres.group_commit import GroupCommit
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import LOCK_NAMESPACE, TableName
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.faults import LONGEST_WAIT, ask, in_background, pid_of, wait_until_waiting


@pytest.fixture
def single(dsn: str) -> Generator[Pool]:
    """One connection: whatever goes on at once needs no more."""
    with open_pool(dsn, max_size=1) as pool:
        yield pool


def append_lock(table: str) -> tuple[int, int]:
    return LOCK_NAMESPACE, TableName.parse(table).lock_key


class Together:
    """Appends that line up behind a first one, which waits for the lock; so they go together."""

    def __init__(self, dsn: str, pool: Pool, table: str, **options: Any) -> None:
        self.dsn = dsn
        self.table = table
        self.pid = pid_of(pool)
        self.store = PostgresEventStore(pool, table, **options)
        appender = self.store._appender
        appender._group_commit = GroupCommit(appender._send, may_join, most_under_way=1)
        self.sent: list[Future[list[int]]] = []

    def append(self, *events: StorableEvent, condition: AppendCondition | None = None) -> "Future[list[int]]":
        """Returns when it has lined up."""
        line = self.store._appender._group_commit._line
        length = len(line)
        sent = in_background(lambda: self.store.append(*events, condition=condition))
        pause = threading.Event()
        while len(line) == length and not sent.done():
            pause.wait(0.001)
        return sent

    @contextmanager
    def behind_a_first(self) -> Generator["Future[list[int]]"]:
        """The first one waits until the end of the block."""
        with psycopg.connect(self.dsn) as holder:
            holder.execute("SELECT pg_advisory_xact_lock(%s, %s)", append_lock(self.table))
            first = in_background(lambda: self.store.append(checks.event("First")))
            wait_until_waiting(self.dsn, self.pid, "Lock")
            yield first
            holder.rollback()


@pytest.fixture
def together(dsn: str, single: Pool, store: PostgresEventStore, table: str) -> Together:
    return Together(dsn, single, table)


def transactions(dsn: str, table: str) -> list[list[int]]:
    """The numbers of the events, by the transaction that committed them."""
    query = SQL("SELECT array_agg(sequence_number ORDER BY sequence_number) FROM {} GROUP BY xmin::text ORDER BY 1")
    with psycopg.connect(dsn, autocommit=True) as connection:
        return [numbers for (numbers,) in connection.execute(query.format(Identifier(table))).fetchall()]


def result(sent: "Future[list[int]]") -> Any:
    return sent.exception(LONGEST_WAIT) or sent.result()


def test_they_are_one_transaction_in_the_order_in_which_they_came(dsn: str, table: str, together: Together) -> None:
    with together.behind_a_first() as first:
        others = [together.append(checks.event("Next")) for _ in range(5)]
    assert [result(sent) for sent in (first, *others)] == [[1], [2], [3], [4], [5], [6]]
    assert transactions(dsn, table) == [[1], [2, 3, 4, 5, 6]]


def test_of_those_who_want_the_same_one_wins_and_the_others_are_told_who(together: Together) -> None:
    condition = AppendCondition(checks.about("BookID", "b"), 0)
    with together.behind_a_first():
        sent = [together.append(checks.event("Lent", BookID="b"), condition=condition) for _ in range(5)]
    winner, *losers = [result(each) for each in sent]
    assert winner == [2]
    for loser in losers:
        assert isinstance(loser, ConcurrencyConflict)
        assert (loser.event.sequence_number, loser.event.event_type, loser.after) == (2, "Lent", 0)
        assert str(loser.filter_item) == 'any event with BookID = "b"'
    assert [stored.event_type for stored in together.store.query(checks.EVERYTHING)] == ["First", "Lent"]


def test_each_is_guarded_by_its_own_filter_and_position(together: Together) -> None:
    about_a, about_b = checks.about("BookID", "a"), checks.about("BookID", "b")
    together.store.append(checks.event("Old", BookID="a"))
    with together.behind_a_first():
        sent = [
            together.append(checks.event("Lent", BookID="b"), condition=AppendCondition(about_b, 1)),
            together.append(checks.event("Lent", BookID="a"), condition=AppendCondition(about_a, 0)),
            together.append(checks.event("Lent", BookID="a"), condition=AppendCondition(about_a, 1)),
            together.append(checks.event("Lent", BookID="b")),
            together.append(checks.event("Lent", BookID="a"), condition=AppendCondition(about_b, 99)),
        ]
    fine, conflict, also_fine, unguarded, unknown = map(result, sent)
    assert (fine, also_fine, unguarded) == ([3], [4], [5])
    assert isinstance(conflict, ConcurrencyConflict)
    assert conflict.event.sequence_number == 1
    assert isinstance(unknown, PositionUnknown)
    assert unknown.head == 5


def test_an_event_that_is_stored_already_or_twice_among_them_is_recognised(together: Together) -> None:
    before, once = checks.event("Before"), checks.event("Once")
    together.store.append(before)
    with together.behind_a_first():
        sent = [
            together.append(before),
            together.append(once),
            together.append(once),
            together.append(StorableEvent(once.event_id, "Another", checks.NOW, b"{}", b"{}")),
        ]
    known, first, again, reused = map(result, sent)
    assert (known, first, again) == ([1], [3], [3])
    assert isinstance(reused, EventIdReused)


def test_a_batch_goes_alone_in_its_turn(dsn: str, table: str, together: Together) -> None:
    with together.behind_a_first():
        sent = [
            together.append(checks.event("Next")),
            together.append(checks.event("Batch"), checks.event("Batch")),
            together.append(checks.event("Next")),
            together.append(checks.event("Next")),
        ]
    assert [result(each) for each in sent] == [[2], [3, 4], [5], [6]]
    assert transactions(dsn, table) == [[1], [2], [3, 4], [5, 6]]


def test_an_event_that_the_database_refuses_fails_alone(together: Together) -> None:
    no_object = StorableEvent(checks.event().event_id, "Bad", checks.NOW, b"[]", b"{}")  # past build()
    no_json = StorableEvent(checks.event().event_id, "Bad", checks.NOW, b"{", b"{}")
    with together.behind_a_first():
        events = (checks.event("Good"), no_object, checks.event("Good"), no_json, checks.event("Good"))
        sent = [together.append(event) for event in events]
    good, bad, also_good, also_bad, last = map(result, sent)
    assert [1, *good, *also_good, *last] == [
        stored.sequence_number for stored in together.store.query(checks.EVERYTHING)
    ]
    assert isinstance(bad, InvalidEvent)
    assert isinstance(also_bad, InvalidEvent)


def test_a_stale_condition_among_them_catches_up_by_itself(together: Together) -> None:
    noise = [checks.event("Noise") for _ in range(1001)]
    together.store.append(noise[0], *noise[1:])
    nobody, everybody = checks.about("BookID", "b"), FilterBuilder().matching().any_event_type_of("Noise").finalize()
    with together.behind_a_first():
        sent = [
            together.append(checks.event("Lent"), condition=AppendCondition(nobody, 0)),
            together.append(checks.event("Next")),
            together.append(checks.event("Lent"), condition=AppendCondition(everybody, 0)),
        ]
    caught_up, other, conflict = map(result, sent)
    assert other == [1003]
    assert caught_up == [1004]
    assert isinstance(conflict, ConcurrencyConflict)
    assert conflict.event.sequence_number == 1


@pytest.mark.parametrize(
    ("ended_by", "outcome_unknown"),
    [("SELECT pg_cancel_backend(%s)", False), ("SELECT pg_terminate_backend(%s)", True)],
    ids=["cancelled", "terminated"],
)
def test_a_transaction_that_ends_before_its_commit_is_told_to_each_of_them(
    dsn: str, table: str, together: Together, ended_by: str, outcome_unknown: bool
) -> None:
    condition = AppendCondition(checks.about("BookID", "b"), 0)
    with psycopg.connect(dsn) as other:
        with together.behind_a_first() as first:
            sent = [together.append(checks.event("Lent", BookID="b"), condition=condition) for _ in range(3)]
            gets_the_lock_next = in_background(
                lambda: other.execute("SELECT pg_advisory_xact_lock(%s, %s)", append_lock(table))
            )
            wait_until_waiting(dsn, other.info.backend_pid, "Lock")
        gets_the_lock_next.result(LONGEST_WAIT)
        wait_until_waiting(dsn, together.pid, "Lock")
        ask(dsn, ended_by, together.pid)
        failures = [result(each) for each in sent]
        other.rollback()
    assert result(first) == [1]
    for failure in failures:
        assert isinstance(failure, StoreUnavailable)
        assert failure.outcome_unknown is outcome_unknown
    assert len({id(failure) for failure in failures}) == 3
    assert [stored.event_type for stored in together.store.query(checks.EVERYTHING)] == ["First"]


def test_the_wait_in_the_line_is_told_as_well(dsn: str, single: Pool, store: PostgresEventStore, table: str) -> None:
    told: dict[int, AppendTimes] = {}
    together = Together(dsn, single, table, on_append=lambda times: told.update({threading.get_ident(): times}))
    pause: Callable[[float], bool] = threading.Event().wait
    with together.behind_a_first() as first:
        second, third = together.append(checks.event()), together.append(checks.event())
        pause(0.05)
    assert [result(sent) for sent in (first, second, third)] == [[1], [2], [3]]
    assert len(told) == 3
    assert all(times.lock_waited >= 0.05 for times in told.values())
