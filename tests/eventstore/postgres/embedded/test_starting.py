"""A server starts on a folder, keeps what is written there, and says why if it cannot."""

import os
import resource
from pathlib import Path

import psycopg
import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError
from tests.eventstore.postgres.embedded.servers import QUICK, alive, write, written


def test_what_was_written_is_there_after_stop_and_start(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK, database="the library") as server:
        write(server, "kept")
        pid, dsn = server.pid, server.dsn
    assert not alive(pid)
    with EmbeddedServer.start(data, options=QUICK, database="the library") as server:
        assert written(server, "kept")
        assert server.dsn == dsn


def test_the_server_speaks_utf8_sorts_by_bytes_and_has_the_callers_settings(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server, psycopg.connect(server.dsn) as connection:
        row = connection.execute(
            "SELECT 'a' > 'B', upper('é'), current_setting('server_encoding'), current_setting('shared_buffers'), "
            "current_setting('listen_addresses'), current_setting('server_version_num')::int / 10000"
        ).fetchone()
    assert row == (True, "É", "UTF8", "16MB", "", 18)


def test_the_server_stays_out_of_the_callers_terminal_session_and_is_never_root(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        assert os.getsid(server.pid) == server.pid
        assert Path("/proc", str(server.pid)).stat().st_uid != 0
        assert Path("/proc", str(server.pid)).owner() == server.user


def test_a_server_that_gives_up_says_why_and_lets_go_of_the_folder(data: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="max_connections"):
        EmbeddedServer.start(data, options={"max_connections": "many"})
    with pytest.raises(EmbeddedServerError, match="there is no OS user 'nobody-of-this-name'"):
        EmbeddedServer.start(data, options=QUICK, extra_peer_users=["nobody-of-this-name"])
    with EmbeddedServer.start(data, options=QUICK):
        pass


def test_a_server_that_does_not_answer_in_time_is_stopped(stopped: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="did not answer within 0 s"):
        EmbeddedServer.start(stopped, options=QUICK, start_timeout=0.0)
    with EmbeddedServer.start(stopped, options=QUICK):
        pass


def test_a_database_that_cannot_be_made_stops_the_server(data: Path) -> None:
    read_only = {**QUICK, "default_transaction_read_only": "on"}
    with pytest.raises(EmbeddedServerError, match=r"'another' cannot be made or reached: .*read-only"):
        EmbeddedServer.start(data, options=read_only, database="another")
    with EmbeddedServer.start(data, options=QUICK, database="another") as server:
        write(server, "made later")


def test_the_data_of_another_major_version_are_refused(stopped: Path) -> None:
    version = stopped / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(EmbeddedServerError, match=r"(?s)initialized by PostgreSQL version 17,.* this version 18"):
            EmbeddedServer.start(stopped, options=QUICK)
    finally:
        version.write_text("18\n")


def test_an_initdb_that_finds_no_room_says_so_and_can_be_done_again(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))  # in bytes, for a file
    try:
        with pytest.raises(EmbeddedServerError, match="initdb failed"):
            EmbeddedServer.start(tmp_path / "data", options=QUICK)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with EmbeddedServer.start(tmp_path / "data", options=QUICK) as server:
        write(server, "there was room now")
