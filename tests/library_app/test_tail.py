"""`tail` prints what happens as it happens, and ends when it is told to or when nobody reads."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import click
import pytest

from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from library_app.event_file import event_line
from library_app.event_text import event_text
from slices.domain_event import DomainEvent
from slices.testing import encoded, stored, write
from tests.eventstore.faults import wait_until
from tests.eventstore.subscriptions.following import append_at_last
from tests.library_app.command_line import assert_says, run
from tests.library_app.conftest import all_events
from tests.library_app.waiting import LONGEST_WAIT
from tests.slices.lending.world import ADDED, ANN, ANN_REGISTERED, BOB_REGISTERED, BOOK, LENT_TO_ANN, RETURNED_BY_ANN
from tests.slices.test_audit import FAILED

MORNING = (ADDED, ANN_REGISTERED, BOB_REGISTERED)
BOTH_LISTEN = """
SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN "public.events"'
"""
COMMAND = (sys.executable, "-c", "from library_app.cli import main; main()", "tail")


def environment(dsn: str) -> dict[str, str]:
    """As users have it: output goes through a buffer."""
    return os.environ | {"LIBRARY_DSN": dsn, "PYTHONUNBUFFERED": ""}


@contextmanager
def tailing(dsn: str, *options: str, code: int = 0) -> Generator["subprocess.Popen[str]"]:
    """The command in a process of its own, which ends as if Ctrl-C was pressed unless the block ends it."""
    with subprocess.Popen([*COMMAND, *options], env=environment(dsn), stdout=-1, stderr=-1, text=True) as process:
        too_long = threading.Timer(LONGEST_WAIT, process.kill)
        too_long.start()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait()
            too_long.cancel()
        assert process.returncode == code
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The next lines that it prints."""
    output: IO[str] | None = process.stdout
    assert output is not None
    return [output.readline().rstrip("\n") for _ in range(count)]


def types_in(printed: list[str]) -> list[str]:
    return [line.split("  ")[2] for line in printed]


@pytest.fixture
def log(database: str) -> Iterator[PostgresEventStore]:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    with open_pool(database, max_size=2) as pool:
        store = PostgresEventStore(pool)
        write(store, *MORNING)
        yield store


def types_of(*events: DomainEvent) -> list[str]:
    return [event.TYPE for event in events]


def test_what_is_there_is_printed_and_then_what_happens_until_a_service_manager_ends_it(
    database: str, log: PostgresEventStore
) -> None:
    with tailing(database, code=128 + signal.SIGTERM) as process:
        printed = lines(process, 3)
        assert printed == [click.unstyle(event_text(event)) for event in all_events(log)]
        write(log, LENT_TO_ANN)
        assert lines(process, 1)[0].split("  ")[::2] == ["#4", "BookCopyLentToReader", f"ReaderID={ANN}"]
        process.terminate()
        process.wait()


def test_one_may_begin_with_the_newest_or_after_a_number(database: str, log: PostgresEventStore) -> None:
    with (
        tailing(database, "--last", "1") as newest,
        tailing(database, "--after", "2", "--json", "--type", ADDED.TYPE, "--type", BOB_REGISTERED.TYPE) as later,
    ):
        assert types_in(lines(newest, 1)) == types_of(BOB_REGISTERED)
        assert [line + "\n" for line in lines(later, 1)] == [event_line(all_events(log)[2]).decode()]
        write(log, LENT_TO_ANN, ANN_REGISTERED)
        assert types_in(lines(newest, 2)) == types_of(LENT_TO_ANN, ANN_REGISTERED)
        assert json.loads(lines(later, 1)[0])["Payload"]["ReaderID"] == ANN


def test_only_what_is_asked_for_is_printed(database: str, log: PostgresEventStore) -> None:
    write(log, LENT_TO_ANN)
    book = ("--key", f"BookID={BOOK.upper()}")
    narrow = (*book, "--key", f"ReaderID={ANN}", "--type", LENT_TO_ANN.TYPE)
    with tailing(database, *narrow) as lent, tailing(database, *book, "--last", "0") as all_of_book:
        assert types_in(lines(lent, 1)) == types_of(LENT_TO_ANN)
        wait_until(database, BOTH_LISTEN)
        write(log, RETURNED_BY_ANN, ANN_REGISTERED, LENT_TO_ANN)
        assert types_in(lines(lent, 1)) == types_of(LENT_TO_ANN)
        assert types_in(lines(all_of_book, 2)) == types_of(RETURNED_BY_ANN, LENT_TO_ANN)


def test_when_nobody_reads_any_more_it_ends_quietly_without_waiting_for_an_event(
    database: str, log: PostgresEventStore
) -> None:
    with tailing(database) as process:
        lines(process, 3)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 0


def test_standard_output_that_cannot_be_written_ends_it_with_one_line_at_most(
    database: str, log: PostgresEventStore
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as broken, Path("/dev/full").open("wb") as full:
        for output, code, said in ((broken, 0, ""), (full, 1, "Error: standard output: No space left on device\n")):
            ended = subprocess.run(
                COMMAND, env=environment(database), stdout=output, stderr=subprocess.PIPE, text=True, check=False
            )
            assert (ended.returncode, ended.stderr) == (code, said)


def test_it_goes_on_when_the_database_was_restarted() -> None:
    with throwaway_server() as server:
        assert run("init-db", LIBRARY_DSN=server.dsn).exit_code == 0
        with open_pool(server.dsn, max_size=2) as pool, tailing(server.dsn) as process:
            store = PostgresEventStore(pool)
            write(store, ADDED)
            assert types_in(lines(process, 1)) == types_of(ADDED)
            server.restart()
            append_at_last(store, encoded(ANN_REGISTERED))
            assert types_in(lines(process, 1)) == types_of(ANN_REGISTERED)


def test_an_event_is_one_line_that_cannot_command_a_terminal() -> None:
    [failed] = stored(FAILED).query(FilterBuilder().matching_any_event())
    assert click.unstyle(event_text(failed)) == (
        f"#1  2025-07-01T12:00:00.000Z  LendingBookToReaderFailed  BookID={BOOK}  ReaderID={ANN}"
        "  FailureInfo=BookAlreadyLent"
    )
    odd = replace(failed, event_type="Odd\x1b[2J", payload=b'{"BookID": "\\u001b]0;x\\u0007\\n", "CourseID": 1E400}')
    text = click.unstyle(event_text(odd).replace("\x1b[2J", "!"))
    assert text.split("  ")[2:] == ["'Odd\\x1b[2J'", "BookID='\\x1b]0;x\\x07\\n'", "CourseID=inf"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--after", "1", "--last", "1"), "--last and --after are two ways to begin"),
        (("--key", "Title=Emma"), "does not begin with BookID=, ReaderID=, StudentID=, CourseID="),
        (("--key", "BookID=Emma"), "this is no UUID"),
        (("--key", f"BookID={BOOK}", "--key", f"BookID={BOOK}"), "BookID is given twice"),
        (("--type", "BookLent"), "'BookLent' is not one of"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: tuple[str, ...], reason: str) -> None:
    result = run("tail", *options)
    assert result.exit_code == 2
    assert reason in result.output


def test_what_cannot_be_followed_is_said_in_one_line(database: str) -> None:
    assert_says(run("tail"), "LIBRARY_DSN is not set")
    assert_says(run("tail", LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    refused = subprocess.run(
        [*COMMAND, "--after", "9"], env=environment(database), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: position 9 was given, but the newest event of this store is 0")
