"""PgBouncer in transaction mode: the guards hold, and what breaks before or behind it is told as without it."""

import os
import pwd
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest

from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, throwaway_server
from eventstore.postgres.pool import Pool
from eventstore.testing.race import free_race, race_for_prizes
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.faults import LONGEST_WAIT, ask, in_background, refusal, wait_until, works

pytestmark = pytest.mark.pgbouncer

SETTINGS = """
[databases]
* = host={host} port={port} user={user} dbname={dbname}
[pgbouncer]
pool_mode = transaction
default_pool_size = 4
auth_type = any
listen_addr =
unix_socket_dir = {folder}
listen_port = 6543
logfile = {folder}/pgbouncer.log
server_login_retry = 0.1
"""
OF_BOUNCER = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


class PgBouncer:
    """PgBouncer in transaction mode, in a folder of its own."""

    def __init__(self, folder: Path, server: EmbeddedServer, user: str) -> None:
        account = pwd.getpwnam(user)
        self._ids: dict[str, Any] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._ids = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        place = psycopg.conninfo.conninfo_to_dict(server.dsn)
        self._settings = folder / "pgbouncer.ini"
        self._settings.write_text(SETTINGS.format(folder=folder, **place))
        self._socket = folder / ".s.PGSQL.6543"
        self.dsn = f"host={folder} port=6543 user=anybody dbname=library connect_timeout=5"
        self._process = self._start()

    def restart(self) -> None:
        """End it, with all connections of clients, and start it again."""
        self.stop()
        self._process = self._start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._socket.unlink(missing_ok=True)
        process = subprocess.Popen(["pgbouncer", "--quiet", str(self._settings)], **self._ids)
        deadline = time.monotonic() + LONGEST_WAIT
        while psycopg.pq.PGconn.ping(self.dsn.encode()) != psycopg.pq.Ping.OK:
            assert process.poll() is None, "PgBouncer did not start"
            assert time.monotonic() < deadline, "PgBouncer does not answer"
        return process


@contextmanager
def behind_pgbouncer(max_size: int) -> Generator[tuple[EmbeddedServer, PgBouncer, Pool]]:
    user = pwd.getpwuid(os.geteuid() or pwd.getpwnam("nobody").pw_uid).pw_name
    with (
        tempfile.TemporaryDirectory(prefix="bouncer-") as folder,
        throwaway_server(extra_peer_users=[user]) as server,
        PgBouncer(Path(folder), server, user) as bouncer,
        open_pool(bouncer.dsn, max_size=max_size, prepare=False) as pool,
    ):
        PostgresEventStore(pool).create_schema()
        yield server, bouncer, pool


def test_the_guards_hold_through_pgbouncer_in_transaction_mode() -> None:
    with behind_pgbouncer(max_size=8) as (_, _, pool):
        prizes, free = PostgresEventStore(pool, "prizes"), PostgresEventStore(pool, "free")
        for store in (prizes, free):
            store.create_schema()
        assert race_for_prizes(prizes, rounds=30).is_clean
        assert free_race(free, rounds=30).is_clean


def test_a_pgbouncer_restarted_between_two_calls_goes_unnoticed() -> None:
    with behind_pgbouncer(max_size=1) as (_, bouncer, pool):
        for _ in range(2):
            works(pool, "events")
            bouncer.restart()
        works(pool, "events")


def test_a_server_restarted_behind_pgbouncer_goes_unnoticed() -> None:
    with behind_pgbouncer(max_size=1) as (server, _, pool):
        works(pool, "events")
        server.restart()
        works(pool, "events")


def test_a_session_that_ends_behind_pgbouncer_between_two_calls_goes_unnoticed() -> None:
    with behind_pgbouncer(max_size=1) as (server, _, pool):
        works(pool, "events")
        wait_until(server.dsn, f"SELECT count(*) > 0 {OF_BOUNCER}")
        ask(server.dsn, f"SELECT count(pg_terminate_backend(pid, 60000)) {OF_BOUNCER}")
        works(pool, "events")


def test_an_append_whose_session_ends_behind_pgbouncer_is_in_doubt_and_can_be_repeated() -> None:
    with behind_pgbouncer(max_size=1) as (server, _, pool):
        event = checks.event("Repeated")
        store = PostgresEventStore(pool)
        with checks.lock_held(server.dsn, "events"):
            append = in_background(lambda: store.append(event))
            waiting = f"{OF_BOUNCER} AND wait_event_type = 'Lock'"
            wait_until(server.dsn, f"SELECT count(*) > 0 {waiting}")
            ask(server.dsn, f"SELECT count(pg_terminate_backend(pid, 60000)) {waiting}")
            assert refusal(append).outcome_unknown
        assert store.append(event) == [stored.sequence_number for stored in store.query(checks.EVERYTHING)]


def test_an_append_is_in_doubt_if_pgbouncer_ends_meanwhile() -> None:
    with behind_pgbouncer(max_size=1) as (server, bouncer, pool):
        event = checks.event("Repeated")
        store = PostgresEventStore(pool)
        with checks.lock_held(server.dsn, "events"):
            append = in_background(lambda: store.append(event))
            wait_until(server.dsn, f"SELECT count(*) > 0 {OF_BOUNCER} AND wait_event_type = 'Lock'")
            bouncer.restart()
            assert refusal(append).outcome_unknown
        # The first attempt may still be at work: whichever comes first, there is one event.
        assert store.append(event) == [stored.sequence_number for stored in store.query(checks.EVERYTHING)]
