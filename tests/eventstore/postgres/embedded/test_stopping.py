"""A server stops and dies as it is told to, and comes back with what was committed."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, server
from eventstore.postgres.embedded.locks import lock, unlock
from eventstore.postgres.embedded.processes import kill_with_children
from tests.eventstore.postgres.embedded.servers import (
    QUICK,
    alive,
    app_on,
    line_from,
    wait_for,
    wait_for_the_end_of,
    write,
    written,
)

FORKING_APP = """
import os, pathlib, sys
from eventstore.postgres.embedded import EmbeddedServer
with EmbeddedServer.start(pathlib.Path(sys.argv[1]), options={"fsync": "off"}) as server:
    if (child := os.fork()) == 0:
        server.stop()
        server.kill()
        sys.exit()  # through the end of the block
    print(os.waitpid(child, 0)[1], server.pid, flush=True)
    sys.stdin.read()
"""


def test_a_killed_server_recovers_what_was_committed(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        dsn, pid = server.dsn, server.pid
        write(server, "committed")
        with contextlib.closing(psycopg.connect(server.dsn)) as busy:
            with psycopg.connect(server.dsn, autocommit=True) as onlooker:
                backend = busy.info.backend_pid
                busy.pgconn.send_query(b"SELECT sum(n) FROM generate_series(1, 1000000000000) n")
                query = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
                wait_for(lambda: onlooker.execute(query, [backend]).fetchone())
            server.kill()
            assert not alive(pid)
            wait_for_the_end_of(backend)
            assert not server.socket_directory.exists()
        server.restart()
        assert server.dsn == dsn
        assert server.pid != pid
        assert written(server, "committed")
    assert "was interrupted" in (data / "server.log").read_text()


def test_a_forked_child_cannot_stop_the_server(data: Path) -> None:
    with app_on(data, program=FORKING_APP) as app:
        status, pid = line_from(app).split()
        assert status == "0"
        assert alive(int(pid))
        with pytest.raises(EmbeddedServerError, match=f"process {app.pid}"):  # nor lose the lock, which it shares
            EmbeddedServer.start(data, options=QUICK)
    assert not alive(int(pid))


def test_stopping_twice_and_a_server_that_died_by_itself_are_no_errors(data: Path) -> None:
    server = EmbeddedServer.start(data, options=QUICK)
    os.kill(server.pid, signal.SIGQUIT)
    server.stop()
    server.stop()
    server.kill()
    assert not server.socket_directory.exists()
    with EmbeddedServer.start(data, options=QUICK):
        pass


def test_a_server_that_does_not_stop_in_time_is_killed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedServer.start(data, options=QUICK) as hung:
        write(hung, "before it hung")
        with psycopg.connect(hung.dsn) as connection:
            backend = connection.info.backend_pid
            os.kill(backend, signal.SIGSTOP)  # a fast shutdown waits for every session
            monkeypatch.setattr(server, "STOP_SECONDS", 0.0)
            hung.stop()
            monkeypatch.undo()
        wait_for_the_end_of(backend)
        hung.restart()
        assert written(hung, "before it hung")


def test_a_process_that_outlives_its_killed_server_is_reported(tmp_path: Path) -> None:
    held = lock(tmp_path / "processes.lock")
    assert held is not None
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(EmbeddedServerError, match="processes of the killed server still hold"):
            kill_with_children(process, tmp_path / "processes.lock", 0.0)
        assert process.poll() == -signal.SIGKILL
    unlock(held)
