"""The command line says in one line what is wrong and what to do."""

import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg
import pytest

from eventstore import StorableEvent
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.schema import TableName
from library_app.cli import main
from library_app.commands import upkeep
from library_app.commands.clear_line import one_clear_line
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from slices.command_loop import TooMuchContention
from slices.lending.book_search.live import model
from slices.live.answering import LiveAnswers
from slices.live.connection import held, own_connection
from slices.live.schema import check_tables
from slices.outcome import Attempt, Conflict, Report
from tests.library_app.command_line import EMAIL_KEY, SECRETS, assert_says, assert_says_last, run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_every_command_says_in_one_whole_line_what_it_does() -> None:
    _, said = run("--help").output.split("Commands:\n")
    assert [line.split()[0] for line in said.splitlines()] == sorted(main.commands)
    for line in said.splitlines():
        assert line.endswith(".")
        assert not line.endswith("...")


def test_init_db_and_seed_may_be_repeated(database: str) -> None:
    assert_says(run("seed", LIBRARY_DSN=database, **EMAIL_KEY), "library-app init-db")
    for _ in range(2):
        assert run("init-db", LIBRARY_DSN=database).output == "The schema is in place.\n"
    assert run("seed", LIBRARY_DSN=database, **EMAIL_KEY).exit_code == 0
    assert "nothing was written" in run("seed", LIBRARY_DSN=database, **EMAIL_KEY).output
    with open_pool(database) as pool:
        PostgresEventStore(pool).check_schema()
        PostgresIdempotencyRecords(pool).check_schema()
        check_tables(pool, model)


def test_serve_needs_the_tables_of_live_models(database: str) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE events_live_models")
    assert_says(run("serve", LIBRARY_DSN=database, **SECRETS), "library-app init-db")


@pytest.mark.parametrize("table", ["lab_events", "lab_events_naive"])
def test_serve_needs_the_tables_of_the_race_lab(database: str, table: str) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    with psycopg.connect(database) as connection:
        connection.execute(f"DROP TABLE {table} CASCADE".encode())
    assert_says(run("serve", LIBRARY_DSN=database, **SECRETS), "library-app init-db")


def test_rebuild_makes_live_models_anew(database: str) -> None:
    assert_says(run("rebuild", LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    with open_pool(database) as pool:
        live = LiveAnswers(pool)
        for number, arguments in ((2, ()), (3, ("book_search",))):
            if number == 3:
                assert run("seed", LIBRARY_DSN=database, **EMAIL_KEY).exit_code == 0
            head = live.status(model).head
            assert (head > 0) == (number == 3)
            result = run("rebuild", *arguments, LIBRARY_DSN=database)
            assert (result.exit_code, live.status(model).generation, live.status(model).position) == (0, number, head)
            assert f"book_search answers from generation {number}, up to event #{head}." in result.output
            assert "Rebuilding book_search" in result.output
    assert run("rebuild", "books", LIBRARY_DSN=database).exit_code == 2


def test_a_second_rebuild_and_an_event_that_cannot_be_read_are_told_in_one_line(database: str) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    name = TableName.parse("events")
    with own_connection(database, name, model.name) as connection, held(connection, name, model.name, "rebuild"):
        assert_says_last(run("rebuild", LIBRARY_DSN=database), "book_search is being rebuilt by somebody else")
    with open_pool(database) as pool:
        lent = StorableEvent.build("BookCopyLentToReader", datetime.now(UTC), payload=b"{}")
        PostgresEventStore(pool).append(lent)
        assert_says_last(run("rebuild", LIBRARY_DSN=database), "event 1 (BookCopyLentToReader) cannot be read")
        assert LiveAnswers(pool).status(model).generation == 1


def test_expire_holds_needs_a_schema_and_ends_what_is_past_its_time_once(database: str) -> None:
    assert_says(run("expire-holds", LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    assert run("expire-holds", LIBRARY_DSN=database).output == "No hold is past its time.\n"
    assert run("seed", LIBRARY_DSN=database, **EMAIL_KEY).exit_code == 0
    ended = run("expire-holds", LIBRARY_DSN=database)
    assert (ended.exit_code, ended.output) == (0, "1 hold ended, no copies are held for the next reader.\n")
    assert run("expire-holds", LIBRARY_DSN=database).output == "No hold is past its time.\n"


def test_expire_holds_may_be_run_again_if_others_were_too_busy(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0

    def others_are_quicker(*_: object) -> None:
        raise TooMuchContention(Report((Attempt(0, 1, 1, 0, 0, 0, 1, Conflict(2, "BookReserved", "an item", 1)),)))

    monkeypatch.setattr(upkeep, "look_over", others_are_quicker)
    assert_says(run("expire-holds", LIBRARY_DSN=database), "because of event 2 (BookReserved)", "Run it again")


def test_serve_needs_a_schema(database: str) -> None:
    assert_says(run("serve", LIBRARY_DSN=database, **SECRETS), "library-app init-db")


def test_serve_needs_a_database() -> None:
    assert_says(run("serve", **SECRETS), "LIBRARY_DSN is not set")
    absent = "host=/nonexistent dbname=library"
    for command in ("serve", "init-db", "seed", "expire-holds"):
        assert_says(run(command, LIBRARY_DSN=absent, **SECRETS), "does not answer", "LIBRARY_DSN")


def test_serve_needs_a_secret() -> None:
    assert_says(run("serve", LIBRARY_DSN="host=/nonexistent"), "LIBRARY_SECRET_KEY is not set")


def test_whoever_hashes_addresses_needs_the_key() -> None:
    absent = {"LIBRARY_DSN": "host=/nonexistent", "LIBRARY_SECRET_KEY": "0123456789abcdef"}
    for command in ("serve", "seed"):
        assert_says(run(command, **absent), "LIBRARY_EMAIL_KEY is not set")
    assert_says(run("init-db", **absent), "does not answer")


def test_a_folder_for_temporary_files_without_room_is_said_in_one_line() -> None:
    with (
        pytest.raises(
            click.ClickException, match=r"temporary files cannot be used \(disk I/O error\); TMPDIR names it"
        ),
        one_clear_line(),
    ):
        raise sqlite3.OperationalError("disk I/O error")


def test_wrong_settings_are_named() -> None:
    assert_says(run("serve", LIBRARY_PORT="many", LIBRARY_DSN="x", **SECRETS), "LIBRARY_PORT", "'many'")


def test_a_taken_port_is_told_before_anything_is_started(taken_port: int, tmp_path: Path) -> None:
    result = run("demo", "--port", str(taken_port), "--data", str(tmp_path / "data"))
    assert_says(result, str(taken_port))
    assert not (tmp_path / "data" / "postgresql").exists()
    assert_says(run("serve", LIBRARY_PORT=str(taken_port), LIBRARY_DSN="x", **SECRETS), str(taken_port))
