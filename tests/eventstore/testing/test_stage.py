"""Stores that hang, hide or fail are reported as such, schedules can be one's own, and nothing is left behind."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
import pytest
from psycopg.sql import SQL

from eventstore import AppendCondition, EventStream, Filter, StorableEvent
from eventstore.postgres.pool import Pool, borrowed
from eventstore.testing.arena import arena
from eventstore.testing.gates import Gate
from eventstore.testing.interleaving import in_words
from eventstore.testing.judgement import Flaw
from eventstore.testing.oracle import Claim
from eventstore.testing.port import EventsTable, RaceStore
from eventstore.testing.schedules import SCHEDULES
from eventstore.testing.stage import Outcome, Schedule, Stage, play
from eventstore.testing.twins.altered import Alteration, OurSubject, WrongExpression, our_client

GOLD = Claim("gold", "red")
SCHEDULE = {schedule.name: schedule for schedule in SCHEDULES}
SHORT = 0.5
"""Seconds of patience where somebody never settles."""


class Client:
    """Our store, in which a test changes one thing."""

    def __init__(self, pool: Pool, table: EventsTable) -> None:
        self.pool = pool
        self.table = table
        self.store = our_client(pool, table)

    def query(self, filter: Filter, /) -> EventStream:
        return self.store.query(filter)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        return self.store.append(first, *more, condition=condition)


def played(dsn: str, client: type[Client], steps: Callable[[Stage], None], patience: float = SHORT) -> Outcome:
    return play(Schedule("own", "One of our own", steps), OurSubject(client=client), dsn, patience=patience)


def held_at_commit(stage: Stage) -> None:
    stage.a.append(GOLD, stage.a.query(GOLD.boundary), until=Gate.BEFORE_COMMIT)
    stage.a.resume()


class ReadersLock(Client):
    def query(self, filter: Filter, /) -> EventStream:
        with borrowed(self.pool) as connection, connection.transaction():
            connection.execute(SQL("LOCK TABLE {} IN SHARE MODE").format(self.table.identifier))
            return super().query(filter)


class PoolOfTwo(OurSubject):
    @contextmanager
    def open(self, dsn: str, table: EventsTable, connections: int) -> Generator[RaceStore]:
        with super().open(dsn, table, connections + 1) as store:
            yield store


def test_a_reader_who_waits_for_a_writer_is_stuck(dsn: str) -> None:
    outcome = play(SCHEDULE["reader-between"], PoolOfTwo(client=ReadersLock), dsn)
    assert outcome.flaw is Flaw.STUCK
    assert [one.sentence for one in outcome.findings] == ["a query of B waits for an append"]


class WaitsForAStranger(Client):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        with borrowed(self.pool) as connection:
            connection.execute("SELECT pg_advisory_lock(4711)")
        return super().append(first, *more, condition=condition)


def test_whoever_waits_for_somebody_unknown_is_stuck_and_the_finding_says_for_whom(own_dsn: str) -> None:
    with psycopg.connect(own_dsn, autocommit=True) as stranger:
        stranger.execute("SELECT pg_advisory_lock(4711)")
        outcome = played(own_dsn, WaitsForAStranger, held_at_commit)
        pid = stranger.info.backend_pid
    [finding] = outcome.findings
    assert finding.flaw is Flaw.STUCK
    assert finding.sentence.startswith(
        "A neither ends its step nor waits for a session that is held, for 0.5 s now: A ("
    )
    assert finding.sentence.endswith(f"waits for a stranger ({pid})")


class IsBusyElsewhere(Client):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        with borrowed(self.pool) as connection:
            connection.execute("SELECT pg_sleep(3600)")
        raise AssertionError("the kit ends it")


def test_whoever_is_busy_for_ever_is_stuck_and_ended(dsn: str) -> None:
    [finding] = played(dsn, IsBusyElsewhere, held_at_commit).findings
    assert finding.flaw is Flaw.STUCK
    assert finding.sentence.endswith(") active Timeout PgSleep")


class Hides(Client):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        with borrowed(self.pool) as connection:
            connection.execute("SET application_name = 'somebody else'")
        return super().append(first, *more, condition=condition)


def test_a_store_that_passes_by_the_gates_was_not_examined(dsn: str) -> None:
    for schedule in SCHEDULE["two-writers-at-commit"], SCHEDULE["batch-in-the-middle"]:
        [finding] = play(schedule, OurSubject(client=Hides), dsn).findings
        assert finding.flaw is Flaw.NOT_HELD
        assert finding.sentence.startswith("A appended without being held at ")


class Fails(Client):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        raise ZeroDivisionError("by zero")


def test_an_append_that_fails_is_an_error(dsn: str) -> None:
    outcome = played(dsn, Fails, held_at_commit)
    assert [str(one) for one in outcome.findings] == ["error: A got ZeroDivisionError: by zero"]
    assert outcome.timeline == "A  reads to 0  append(0) → fails"


class CannotRead(Client):
    def query(self, filter: Filter, /) -> EventStream:
        raise ZeroDivisionError("by zero")


def test_a_query_that_fails_fails_the_run(dsn: str) -> None:
    with pytest.raises(ZeroDivisionError):
        played(dsn, CannotRead, held_at_commit)


def test_a_session_takes_one_step_after_the_other(dsn: str) -> None:
    def two_at_a_time(stage: Stage) -> None:
        stage.a.append(GOLD, until=Gate.BEFORE_COMMIT)
        stage.a.append(GOLD)

    with pytest.raises(AssertionError, match="A has not finished its last step"):
        played(dsn, Client, two_at_a_time)


def test_a_schedule_may_leave_a_session_at_its_gate(dsn: str) -> None:
    def left(stage: Stage) -> None:
        stage.a.append(GOLD, stage.a.query(GOLD.boundary), until=Gate.BEFORE_FIRST_ROW)
        stage.one_must_win(stage.a.attempts[0])

    assert played(dsn, Client, left, patience=30).findings == ()


def test_a_foreign_row_that_the_store_refuses_is_no_flaw_of_the_store(dsn: str) -> None:
    never: Alteration = (r"(_draw_sequence_number\W+RETURNS trigger.*?BEGIN)", r"\1 RAISE 'never';")

    def insert(stage: Stage) -> None:
        stage.x.insert_and_commit(GOLD)

    outcome = play(Schedule("own", "One of our own", insert), OurSubject((never,)), dsn)
    assert outcome.findings == ()
    assert outcome.timeline == "X  INSERT → refused"


def test_a_mechanism_that_the_schema_does_not_have_cannot_be_taken_out(own_dsn: str) -> None:
    with pytest.raises(WrongExpression, match="no such thing"):
        play(SCHEDULES[0], OurSubject((("no such thing", ""),)), own_dsn)
    assert_nothing_is_left(own_dsn)


class LeavesATransactionOpen(OurSubject):
    """Its connections are never given back, and hold a lock on the table."""

    left: ClassVar[list[psycopg.Connection[Any]]] = []

    @contextmanager
    def open(self, dsn: str, table: EventsTable, connections: int) -> Generator[RaceStore]:
        connection = psycopg.connect(dsn)
        connection.execute(SQL("SELECT FROM {}").format(table.identifier))
        self.left.append(connection)
        with super().open(dsn, table, connections) as store:
            yield store


def test_a_store_that_leaves_a_transaction_open_does_not_hang_the_kit(own_dsn: str) -> None:
    outcome = play(SCHEDULES[0], LeavesATransactionOpen(), own_dsn)
    assert outcome.findings == ()
    assert LeavesATransactionOpen.left
    assert_nothing_is_left(own_dsn)
    for connection in LeavesATransactionOpen.left:
        connection.close()


def test_the_kit_keeps_the_settings_of_the_connection_string(dsn: str) -> None:
    with arena(OurSubject(), psycopg.conninfo.make_conninfo(dsn, options="-c work_mem=5MB")) as place:
        with psycopg.connect(place.dsn_of("A")) as connection:
            settings = "SELECT current_setting('work_mem'), current_schema(), current_setting('application_name')"
            assert connection.execute(settings).fetchone() == ("5MB", place.table.schema, f"{place.table.schema} A")
        assert str(place.table) == f"{place.table.schema}.events"


def assert_nothing_is_left(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        left = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'race_')"
        assert connection.execute(left).fetchall() == []


def test_lists_are_put_in_words() -> None:
    assert in_words([]) == ""
    assert in_words(["A"]) == "A"
    assert in_words(["B", "A"]) == "A and B"
    assert in_words([10, 9, 11]) == "9, 10 and 11"
    assert in_words(range(1, 1002)) == "1…1001"
