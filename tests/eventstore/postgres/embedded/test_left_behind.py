"""What a killed app leaves behind on its folder is replaced; what is not its own is left alone."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, throwaway_server
from eventstore.postgres.embedded.locks import lock, unlock
from eventstore.postgres.embedded.processes import end_earlier_server, live_postmaster, server_user, spawn_on
from eventstore.postgres.embedded.programs import programs_for
from tests.eventstore.postgres.embedded.servers import (
    AS_ROOT,
    QUICK,
    app_on,
    left_behind,
    wait_for,
    wait_for_the_end_of,
    write,
)


def test_a_server_left_behind_by_a_killed_app_is_replaced(data: Path) -> None:
    with left_behind(data) as pid, EmbeddedServer.start(data, options=QUICK) as server:
        wait_for_the_end_of(pid)
        assert server.pid != pid
        write(server, "after the app was killed")
    assert "database system was shut down at" in (data / "server.log").read_text()  # not "was interrupted"


def test_processes_that_outlive_their_killed_server_are_waited_for(data: Path) -> None:
    with left_behind(data) as pid:
        os.kill(pid, signal.SIGKILL)
        with EmbeddedServer.start(data, options=QUICK) as server:
            write(server, "after both were killed")


def test_a_server_left_behind_that_does_not_react_is_killed(data: Path) -> None:
    with left_behind(data) as pid:
        os.kill(pid, signal.SIGSTOP)
        ever_more_urgently = ((signal.SIGINT, 0.0), (signal.SIGKILL, 60.0))
        os.close(end_earlier_server(data / "cluster", data / "processes.lock", ever_more_urgently))
        wait_for_the_end_of(pid)


def test_processes_that_do_not_end_are_reported(tmp_path: Path) -> None:
    held = lock(tmp_path / "processes.lock")
    assert held is not None
    with pytest.raises(EmbeddedServerError, match="processes of an earlier server still use"):
        end_earlier_server(tmp_path / "cluster", tmp_path / "processes.lock", [(signal.SIGINT, 0.0)])
    unlock(held)


def test_a_server_that_somebody_started_by_hand_on_the_folder_is_replaced(stopped: Path) -> None:
    cluster = stopped / "cluster"
    user = server_user(cluster, os.geteuid())
    program, quiet = programs_for(user) / "postgres", ["--listen_addresses=", "--unix_socket_directories="]
    with (
        Path(os.devnull).open() as unrelated,
        spawn_on(cluster, program, quiet, user, output=subprocess.DEVNULL, keep=unrelated.fileno()) as by_hand,
    ):
        wait_for(lambda: live_postmaster(cluster) == by_hand.pid)
        with EmbeddedServer.start(stopped, options=QUICK) as server:
            wait_for_the_end_of(by_hand.pid)
            write(server, "after the one by hand")


def test_a_process_that_got_the_number_of_a_dead_server_is_left_alone(stopped: Path) -> None:
    cluster = stopped / "cluster"
    with subprocess.Popen(["sleep", "600"], cwd=cluster, user=cluster.owner() if AS_ROOT else None) as bystander:
        try:
            (cluster / "postmaster.pid").write_text(f"{bystander.pid}\n")
            with EmbeddedServer.start(stopped, options=QUICK) as server:
                write(server, "beside a bystander")
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_the_server_of_another_folder_is_left_alone(stopped: Path) -> None:
    with throwaway_server(options=QUICK) as other:
        (stopped / "cluster" / "postmaster.pid").write_text(f"{other.pid}\n")
        with EmbeddedServer.start(stopped, options=QUICK) as server:
            write(server, "beside another server")
            write(other, "beside another server")


def test_a_half_finished_initdb_is_done_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with app_on(data) as app:
        wait_for(lambda: list((data / "cluster.new").glob("base/*/PG_VERSION")))
        app.send_signal(signal.SIGSTOP)
        initdb = int(Path(f"/proc/{app.pid}/task/{app.pid}/children").read_text())
        os.kill(initdb, signal.SIGKILL)
        app.kill()
    assert not (data / "cluster").exists()
    with EmbeddedServer.start(data, options=QUICK) as server:
        write(server, "initdb was done again")
    assert not (data / "cluster.new").exists()
