"""What the tests of faults have in common: catching a session at a certain moment, and seeing what is left of it."""

import os
import signal
import threading
import time
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.embedded import EmbeddedServer
from eventstore.postgres.pool import Pool, borrowed
from tests.eventstore import guarantee_checks as checks

LONGEST_WAIT = 120.0


def in_background(work: Any) -> "Future[Any]":
    """Run it in a thread of its own; the future has the result or the exception."""
    with_one_thread = ThreadPoolExecutor(1)
    future = with_one_thread.submit(work)
    with_one_thread.shutdown(wait=False)
    return future


def refusal(future: "Future[Any]") -> StoreUnavailable:
    """The StoreUnavailable that the work in the background ended with."""
    with pytest.raises(StoreUnavailable) as caught:
        future.result(LONGEST_WAIT)
    return caught.value


def ask(dsn: str, question: str, *parameters: object) -> Any:
    """One value from a session of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(question.encode(), parameters).fetchone()
    return None if row is None else row[0]


def wait_until(dsn: str, question: str, *parameters: object) -> None:
    """Ask until the answer is true."""
    pause = threading.Event()
    deadline = time.monotonic() + LONGEST_WAIT
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not (row := connection.execute(question.encode(), parameters).fetchone()) or not row[0]:
            assert time.monotonic() < deadline, f"never true: {question} {parameters}"
            pause.wait(0.005)


def wait_until_waiting(dsn: str, pid: int, for_what: str) -> None:
    """Return once the session waits for a lock (`Lock`), a standby (`SyncRep`), the client (`ClientRead`), …"""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND %s IN (wait_event_type, wait_event)"
    wait_until(dsn, waiting, pid, for_what)


def wait_until_gone(dsn: str, pid: int) -> None:
    """Return once the session has ended."""
    wait_until(dsn, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", pid)


def pid_of(pool: Pool) -> int:
    """The session of a pool that has one connection."""
    with borrowed(pool) as connection:
        return connection.info.backend_pid


def state_of(pool: Pool) -> tuple[Any, ...]:
    """What a fault could leave behind in the one session of a pool: settings, an open transaction, locks, handlers."""
    with pool.connection() as connection:
        status = connection.info.transaction_status
        pid = connection.info.backend_pid
        autocommit, connection.autocommit = connection.autocommit, True
        settings = connection.execute("SELECT name, setting FROM pg_settings ORDER BY name").fetchall()
        locks = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
        ).fetchall()
        connection.autocommit = autocommit
    return pid, status, autocommit, locks, settings, len(connection._notice_handlers)


@contextmanager
def left_clean(pool: Pool, table: str) -> Generator[None]:
    """What happens in the block leaves the pool's one session as it was, and the next calls work."""
    before = state_of(pool)
    yield
    assert state_of(pool) == before
    assert before[1] == psycopg.pq.TransactionStatus.IDLE
    assert before[3] == [(0,)]
    works(pool, table)


def works(pool: Pool, table: str) -> None:
    """The next append and the next query succeed."""
    store = PostgresEventStore(pool, table)
    event = checks.event("Afterwards")
    [number] = store.append(event)
    found = store.query(checks.EVERYTHING, limit=1, backwards=True).events
    assert [(one.sequence_number, one.event_id) for one in found] == [(number, event.event_id)]


@contextmanager
def statements_time_out(pool: Pool) -> Generator[None]:
    """The pool's one session waits for a tenth of a second only; not in what comes before and after the block."""
    with borrowed(pool) as connection:
        connection.execute("SET statement_timeout = 100")
    yield
    with borrowed(pool) as connection:
        connection.execute("SET statement_timeout = 0")


@contextmanager
def table_locked(dsn: str, table: str) -> Generator[None]:
    """Nobody can even read the table."""
    with psycopg.connect(dsn) as holder:
        holder.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(Identifier(table)))
        yield
        holder.rollback()


@contextmanager
def commits_held(dsn: str, table: str) -> Generator[None]:
    """Every append has done its work, but not yet committed: a deferred trigger waits for a lock that is held here."""
    name = Identifier(f"{table}_hold")
    with psycopg.connect(dsn, autocommit=True) as owner, psycopg.connect(dsn) as holder:
        owner.execute(
            SQL(
                "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS"
                " 'BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END'"
            ).format(name)
        )
        owner.execute(
            SQL(
                "CREATE CONSTRAINT TRIGGER {} AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED"
                " FOR EACH ROW EXECUTE FUNCTION {}()"
            ).format(name, Identifier(table), name)
        )
        holder.execute("SELECT pg_advisory_xact_lock(4711)")
        yield
        holder.rollback()
        owner.execute(SQL("DROP FUNCTION {} CASCADE").format(name))


@contextmanager
def stopped(server: EmbeddedServer) -> Generator[None]:
    """All processes of the server stand still: connections live, the kernel accepts new ones, and nobody answers.

    Whoever waits for an answer for too long gets one, so that a test of who gives up fails, and does not hang.
    """
    os.kill(server.pid, signal.SIGSTOP)  # first, so that it starts no more
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    processes = [server.pid, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)

    def go_on() -> None:
        for process in processes:
            os.kill(process, signal.SIGCONT)

    too_long = threading.Timer(LONGEST_WAIT, go_on)
    too_long.start()
    try:
        yield
    finally:
        too_long.cancel()
        go_on()
