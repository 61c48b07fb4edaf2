"""Which OS user runs the server: the caller, and for root somebody else."""

import os
import pwd
from pathlib import Path

import pytest

from eventstore.postgres.embedded import EmbeddedServerError, postgres_programs, processes
from eventstore.postgres.embedded.processes import ServerUser, server_user
from eventstore.postgres.embedded.programs import can_run
from tests.eventstore.postgres.embedded.servers import (
    alive,
    app_on,
    left_behind,
    line_from,
    needs_root,
    wait_for_the_end_of,
)

NAMELESS = 4_000_000_000


def test_an_ordinary_caller_runs_the_server_himself(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    user = server_user(tmp_path / "none", nobody.pw_uid)
    assert (user.name, user.uid, user.gid, user.switch) == ("nobody", nobody.pw_uid, nobody.pw_gid, False)


def test_roots_server_runs_as_the_first_unprivileged_user_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "UNPRIVILEGED", ("daemon", "bin"))
    assert server_user(tmp_path / "none", 0).name == "daemon"
    monkeypatch.setattr(processes, "UNPRIVILEGED", ("nobody-of-this-name", "bin"))
    user = server_user(tmp_path / "none", 0)
    assert user.name == "bin"
    assert user.switch


def test_a_user_without_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmbeddedServerError, match=f"no OS user to run PostgreSQL as: .*{NAMELESS}"):
        server_user(tmp_path / "none", NAMELESS)
    monkeypatch.setattr(processes, "UNPRIVILEGED", ("nobody-of-this-name", "nor-of-this"))
    with pytest.raises(EmbeddedServerError, match=r"no OS user to run PostgreSQL as: .*nor-of-this"):
        server_user(tmp_path / "none", 0)


@needs_root
def test_roots_server_keeps_the_user_that_made_its_data(tmp_path: Path) -> None:
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    os.chown(cluster, pwd.getpwnam("daemon").pw_uid, -1)
    assert server_user(cluster, 0).name == "daemon"


@needs_root
def test_an_ordinary_users_server_is_his_own_and_replaced_after_a_crash_of_his_app(open_folder: Path) -> None:
    daemon = pwd.getpwnam("daemon")
    user = ServerUser("daemon", daemon.pw_uid, daemon.pw_gid, switch=True)
    if not can_run(postgres_programs() / "initdb", user):
        pytest.skip("no other OS user can run the installed programs")
    os.chown(open_folder, daemon.pw_uid, -1)
    data = open_folder / "data"
    with left_behind(data, "daemon") as left, app_on(data, "daemon") as app:
        replaced = int(line_from(app))
        wait_for_the_end_of(left)
        assert Path("/proc", str(replaced)).owner() == data.owner() == "daemon"
    assert app.returncode == 0
    assert not alive(replaced)
