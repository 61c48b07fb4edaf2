"""The logs of the lab do not grow for ever: `library-app clear-lab` takes old races out, and only those."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg.conninfo import make_conninfo

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.cli import main
from library_app.race import RaceKind
from library_app.race.clearing import clear
from library_app.race.postgres import NAIVE_TABLE, TABLE, PostgresRaceLab, create_tables
from library_app.race.schedule import schedule


@pytest.fixture
def raced(database: str) -> str:
    """A database in whose lab there were races of yesterday and of just now, with both guards."""
    with open_pool(database, max_size=2) as pool:
        create_tables(pool)
    for clock in (lambda: datetime.now(UTC) - timedelta(days=1), lambda: datetime.now(UTC)):
        for guarded in (True, False):
            PostgresRaceLab(database, clock).run(RaceKind.NO_CONFLICT, 2, guarded=guarded)
    return database


def clear_lab(dsn: str) -> Result:
    return CliRunner().invoke(main, ["clear-lab"], env={"LIBRARY_DSN": dsn})


def numbers(dsn: str, table: str) -> list[int]:
    with open_pool(dsn, max_size=1) as pool:
        log = PostgresEventStore(pool, table).query(FilterBuilder().matching_any_event())
        return [event.sequence_number for event in log]


def test_old_races_are_deleted_from_both_logs_and_others_stay(raced: str) -> None:
    assert numbers(raced, TABLE) == numbers(raced, NAIVE_TABLE) == list(range(1, 13))
    assert clear_lab(raced).output == "12 events of old races deleted.\n"
    assert numbers(raced, TABLE) == numbers(raced, NAIVE_TABLE) == list(range(7, 13))
    assert clear_lab(raced).output == "0 events of old races deleted.\n"


def test_a_cleared_lab_is_raced_in_as_before(raced: str) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    with psycopg.connect(raced) as connection:  # as if a day had gone by since
        connection.execute("ALTER TABLE lab_events DISABLE TRIGGER USER")
        connection.execute("UPDATE lab_events SET occurred_at = occurred_at - interval '1 day'")
        connection.execute("ALTER TABLE lab_events ENABLE TRIGGER USER")
    with open_pool(raced, max_size=2) as pool:
        clear(pool)
    assert numbers(raced, TABLE) == []
    lab = PostgresRaceLab(raced, lambda: later)
    assert len(lab.run(RaceKind.ONE_COPY, 4, guarded=True).got) == 1
    ladder = lab.step(schedule("A.read,B.read,A.append,B.append,A.commit"), guarded=True)
    assert (ladder.impossible, len(ladder.got)) == (None, 1)
    assert numbers(raced, TABLE)[0] == 13  # numbers are never given twice


def test_afterwards_the_log_refuses_what_it_refused_before(raced: str) -> None:
    with open_pool(raced, max_size=2) as pool:
        clear(pool)
    with psycopg.connect(raced) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        connection.execute("DELETE FROM lab_events")


def test_the_role_of_serve_may_not_clear_the_lab(lab_dsn: str, racer: str) -> None:
    result = clear_lab(make_conninfo(lab_dsn, options=f"-c role={racer}"))
    assert result.exit_code == 1
    assert "has not the right to do this: must be owner of table lab_events" in result.output


def test_a_lab_that_is_not_there_is_said_in_one_line(database: Any) -> None:
    result = clear_lab(database)
    assert (result.exit_code, len(result.output.strip().splitlines())) == (1, 1)
    assert "library-app init-db" in result.output
