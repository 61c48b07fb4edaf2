"""Crashes under load lose nothing that was acknowledged, and a server or store that does is found out."""

import contextlib
import dataclasses
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import pytest

from eventstore import (
    EventIdReused,
    EventStore,
    EventStream,
    Filter,
    InMemoryEventStore,
    StorableEvent,
    StoreUnavailable,
)
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, throwaway_server
from eventstore.postgres.pool import borrowed
from eventstore.testing.crash import CrashReport, NothingProven, crash_under_load
from eventstore.testing.ledger import Promise, Violation
from tests.wrapped_store import WrappedStore

SLOW_COMMITS = {"synchronous_commit": "off", "wal_writer_delay": "10s"}


def kills(number: int) -> Callable[[CrashReport], bool]:
    return lambda report: report.kills < number


@contextlib.contextmanager
def server_and_store(options: dict[str, str]) -> Generator[tuple[EmbeddedServer, PostgresEventStore]]:
    with throwaway_server(options=options) as server, open_pool(server.dsn, max_size=9, timeout=60) as pool:
        store = PostgresEventStore(pool)
        store.create_schema()
        with borrowed(pool) as connection:
            connection.execute("CHECKPOINT")  # the table outlives the first crash even without durable commits
        yield server, store


def test_a_server_that_is_killed_under_load_keeps_every_promise() -> None:
    with server_and_store({}) as (server, store):
        # Of one store only two appends are under way at a time, so that a kill may leave no doubt behind.
        report = crash_under_load(server, store, go_on=lambda report: report.kills < 4 or not report.in_doubt)
    assert report.is_clean, "\n".join(map(str, report.violations))
    assert report.kills >= 4
    assert report.in_doubt == report.found_stored + report.found_missing > 0


def test_a_server_whose_commits_do_not_wait_for_the_disk_is_found_out() -> None:
    with server_and_store(SLOW_COMMITS) as (server, store):
        report = crash_under_load(server, store, go_on=kills(20))
    promises = {violation.promise for violation in report.violations}
    assert Promise.DURABLE in promises, report


class Everlasting:
    """In place of a server: it "crashes" without any consequence, so that a store in memory can be judged."""

    def kill(self) -> None: ...

    def restart(self) -> None: ...


class Twin(WrappedStore):
    """A store with a fault: hands on to one in memory, but for what a subclass does otherwise.

    Like a database it takes its time: so appends are under way when the "crash" comes, and events are not too many.
    """

    def __init__(self) -> None:
        super().__init__(InMemoryEventStore())
        self.appends = 0

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        self.appends += 1
        time.sleep(0.001)
        return super().append(first, *more, **options)


class MisnumbersTheThirdAppend(Twin):
    def __init__(self) -> None:
        super().__init__()
        self.calls = itertools.count(1)  # which threads may share

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        numbers = super().append(first, *more, **options)  # which may refuse
        return [number + 1_000_000 for number in numbers] if next(self.calls) == 3 else numbers


class DoubtsEveryTenthAppend(Twin):
    """As it should be: of unknown outcome, half of them stored, and never a lie."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        self.appends += 1
        if self.appends % 20 == 0:
            self.inner.append(first, *more, **options)
        if self.appends % 10 == 0:
            raise StoreUnavailable("the answer was lost", outcome_unknown=True)
        return self.inner.append(first, *more, **options)


class SaysItRefused(Twin):
    """Stores the event and says that it did not."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        numbers = super().append(first, *more, **options)
        if self.appends % 10 == 0:
            raise StoreUnavailable("no", outcome_unknown=False)
        return numbers


class ForgetsItsGuards(Twin):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        return super().append(first, *more)


class AnswersNonsense(Twin):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        super().append(first, *more, **options)
        if self.appends % 10 == 0:
            raise EventIdReused("you sent that before")
        return super().append(first, *more, **options)


class RewritesHistory(Twin):
    """Shows another time for the first event, at every query a later one."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = itertools.count()

    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        asked = b'{"Asked": %d}' % next(self.queries)
        events = tuple(dataclasses.replace(event, metadata=asked) for event in stream)
        return dataclasses.replace(stream, events=events)


def crashed(store: EventStore, go_on: Callable[[CrashReport], bool]) -> CrashReport:
    server: Any = Everlasting()
    return crash_under_load(server, store, go_on=go_on, writers=4)


@pytest.mark.parametrize(
    ("twin", "promise"),
    [
        (MisnumbersTheThirdAppend, Promise.NUMBERED),
        (SaysItRefused, Promise.REFUSED),
        (ForgetsItsGuards, Promise.GUARDED),
        (AnswersNonsense, Promise.ANSWERED),
        (RewritesHistory, Promise.UNCHANGED),
    ],
)
def test_a_store_with_a_fault_is_found_out(twin: Callable[[], EventStore], promise: Promise) -> None:
    report = crashed(twin(), kills(2))
    assert promise in {violation.promise for violation in report.violations}
    assert str(report.violations[0]).startswith("broken: ")


def test_what_was_seen_after_a_restart_must_be_the_same_at_the_end() -> None:
    report = crashed(RewritesHistory(), kills(1))
    assert any("seen after a restart" in violation.details for violation in report.violations)


def test_a_run_ends_after_the_first_restart_that_shows_a_loss() -> None:
    assert crashed(MisnumbersTheThirdAppend(), kills(5)).kills == 1


def test_doubts_are_counted_by_what_became_of_them() -> None:
    report = crashed(DoubtsEveryTenthAppend(), kills(1))
    assert report.is_clean, "\n".join(map(str, report.violations))
    assert report.found_stored
    assert report.found_missing


def test_a_run_in_which_nothing_was_in_doubt_proves_nothing() -> None:
    with pytest.raises(NothingProven, match="no outcome was ever unknown"):
        crashed(Twin(), kills(1))


def test_a_run_without_a_kill_proves_nothing() -> None:
    with pytest.raises(NothingProven, match="the server was never killed"):
        crashed(DoubtsEveryTenthAppend(), kills(0))


def test_a_report_without_load_names_all_that_is_missing() -> None:
    with pytest.raises(NothingProven, match=r"never killed.*no append.*no batch.*no guard.*no outcome"):
        CrashReport().check_that_it_proves_something()
    CrashReport(violations=(Violation(Promise.ONCE, "twice"),)).check_that_it_proves_something()


def run_command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "eventstore.testing.crash", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_what_came_out_and_shows_progress_on_a_terminal() -> None:
    command = [sys.executable, "-m", "eventstore.testing.crash", "--seconds", "6", "--seed", "5"]
    terminal, its_end = os.openpty()
    with subprocess.Popen(command, stdout=its_end, stderr=subprocess.PIPE) as process:
        os.close(its_end)
        shown = "".join(lines_of(terminal))
        assert process.wait() == 0, process.stderr.read() if process.stderr else shown
    assert "of 6 s, killed 1 times" in shown
    assert "8 writers, seed 5" in shown
    assert "violations                              0" in shown


def lines_of(terminal: int) -> Generator[str]:
    with contextlib.suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as opened:  # its end is an error
        while part := opened.read(4096):
            yield part.decode(errors="replace")


def test_the_command_finds_out_a_weakened_server() -> None:
    done = run_command("--seconds", "60", "--weakened")
    assert done.returncode == 1
    assert "broken: what was acknowledged is stored" in done.stdout + done.stderr


def test_the_command_says_when_it_proves_nothing() -> None:
    done = run_command("--seconds", "1", "--writers", "1")
    assert done.returncode == 1
    assert "proves nothing" in done.stderr
    assert "no guard refused anything" in done.stderr


def test_the_command_refuses_to_run_without_writers() -> None:
    done = run_command("--writers", "0")
    assert done.returncode == 2
    assert "must be at least 1" in done.stderr


class Refuses(Twin):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise StoreUnavailable("not today", outcome_unknown=False)


def test_a_server_that_stays_useless_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstore.testing.crash._LONGEST_RECOVERY", 0.05)
    with pytest.raises(NothingProven, match="not every writer could append"):
        crashed(Refuses(), kills(1))


class Crashes(Twin):
    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        raise ZeroDivisionError


def test_an_error_of_a_writer_is_an_error_of_the_run() -> None:
    with pytest.raises(ZeroDivisionError):
        crashed(Crashes(), kills(1))


class NeverComesBack(Everlasting):
    """The server does not start again; its store is in doubt, then silent."""

    def __init__(self) -> None:
        self.store = Mortal()

    def kill(self) -> None:
        self.store.dead = True

    def restart(self) -> None:
        raise EmbeddedServerError("no space left on device")


class Mortal(Twin):
    dead = False

    def query(self, filter: Filter, **options: Any) -> EventStream:
        if self.dead:
            raise StoreUnavailable("down", outcome_unknown=False)
        return super().query(filter, **options)

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        if self.dead:
            raise StoreUnavailable("down", outcome_unknown=True)
        return super().append(first, *more, **options)


def test_writers_do_not_wait_for_a_server_that_does_not_start_again() -> None:
    server: Any = NeverComesBack()
    with pytest.raises(EmbeddedServerError, match="no space left"):
        crash_under_load(server, server.store, go_on=kills(1), writers=4)
