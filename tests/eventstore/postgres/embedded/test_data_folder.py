"""The data folder is one app's own: closed to others, wherever it lies, and never somebody else's."""

import os
import stat
from pathlib import Path

import psycopg
import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError
from eventstore.postgres.embedded.folder import make_private
from eventstore.postgres.embedded.processes import server_user
from tests.eventstore.postgres.embedded.servers import AS_ROOT, QUICK, app_on, line_from, write, written


def test_a_second_server_on_the_folder_is_refused(data: Path) -> None:
    with app_on(data) as app:
        line_from(app)
        with pytest.raises(EmbeddedServerError, match=rf"process {app.pid}\b.* {data}"):
            EmbeddedServer.start(data, options=QUICK)
    with EmbeddedServer.start(data, options=QUICK), pytest.raises(EmbeddedServerError, match=f"process {os.getpid()}"):
        EmbeddedServer.start(data, options=QUICK)


def test_only_the_caller_and_the_servers_user_can_enter_the_folders(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        owners = {folder: folder.owner() for folder in (data, data / "cluster", server.socket_directory)}
        modes = {stat.S_IMODE(folder.stat().st_mode) for folder in owners}
    assert modes == {0o700}
    assert set(owners.values()) <= {data.owner(), server.user}


def test_no_folder_above_is_opened_for_the_server_and_one_that_was_open_is_closed(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    data.mkdir(mode=0o755)
    above = {folder: folder.stat().st_mode for folder in data.parents}
    with EmbeddedServer.start(data, options=QUICK) as server:
        write(server, "behind closed doors")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        server.kill()
        server.restart()
        assert written(server, "behind closed doors")
    assert {folder: folder.stat().st_mode for folder in above} == above


def test_any_path_gets_a_short_socket(tmp_path: Path) -> None:
    data = tmp_path / ('long, "quoted" ' * 10) / "data"
    with EmbeddedServer.start(data, options=QUICK) as server:
        write(server, "far away")
        assert server.socket_directory.parent == Path("/tmp")
    assert not server.socket_directory.exists()


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "photographs"
    foreign.mkdir()
    (foreign / "picture.jpg").write_text("precious")
    before = foreign.stat()
    with pytest.raises(EmbeddedServerError, match=r"photographs holds files that are not ours"):
        EmbeddedServer.start(foreign)
    assert [path.name for path in foreign.iterdir()] == ["picture.jpg"]
    assert (foreign.stat().st_mode, foreign.stat().st_mtime) == (before.st_mode, before.st_mtime)
    with pytest.raises(EmbeddedServerError, match=r"picture\.jpg.*Not a directory|Not a directory.*picture\.jpg"):
        EmbeddedServer.start(foreign / "picture.jpg")


def test_a_folder_of_somebody_else_is_not_taken_for_private(tmp_path: Path) -> None:
    foreign = Path("/")
    if AS_ROOT:
        foreign = tmp_path
        os.chown(foreign, 1, -1)
    before = foreign.stat().st_mode
    with pytest.raises(EmbeddedServerError, match="exists and belongs to somebody else"):
        make_private(foreign, server_user(tmp_path / "none", os.geteuid()))
    assert foreign.stat().st_mode == before


def test_a_link_in_the_place_of_a_private_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(OSError, match="link"):
        make_private(tmp_path / "link", server_user(tmp_path / "none", os.geteuid()))
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o755


def test_access_rules_are_not_written_through_a_link(stopped: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("unchanged")
    rules = stopped / "cluster" / "pg_hba.conf"
    rules.unlink()
    rules.symlink_to(precious)
    with EmbeddedServer.start(stopped, options=QUICK) as server, psycopg.connect(server.dsn):
        assert precious.read_text() == "unchanged"
