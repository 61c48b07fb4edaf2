"""A throw-away server leaves nothing, however its block ends."""

from pathlib import Path

import pytest

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, throwaway_server
from tests.eventstore.postgres.embedded.servers import QUICK, alive, app_on, line_from, write

FORKING_APP = """
import os, sys
from eventstore.postgres.embedded import throwaway_server
with throwaway_server(options={"fsync": "off"}) as server:
    if (child := os.fork()) == 0:
        sys.exit()  # through the end of the block
    print(os.waitpid(child, 0)[1], server.data, server.socket_directory, flush=True)
    sys.stdin.read()
"""


def left_of(server: EmbeddedServer) -> list[Path]:
    return [path for path in (server.data, server.socket_directory) if path.exists()]


def test_nothing_of_a_throwaway_server_is_left() -> None:
    with throwaway_server(options=QUICK, database="scratch") as server:
        write(server, "gone tomorrow")
        assert len(left_of(server)) == 2
    assert not left_of(server)
    assert not alive(server.pid)


def test_nothing_is_left_after_an_error_or_a_crash_of_the_server() -> None:
    servers: list[EmbeddedServer] = []

    def crash() -> None:
        with throwaway_server(options=QUICK) as server:
            servers.append(server)
            server.kill()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    assert not left_of(servers[0])


def test_nothing_is_left_of_a_throwaway_server_that_cannot_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(EmbeddedServerError, match="max_connections"),
        throwaway_server(options={**QUICK, "max_connections": "many"}),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_a_forked_child_that_leaves_the_block_takes_nothing_away(tmp_path: Path) -> None:
    with app_on(tmp_path, program=FORKING_APP) as app:
        status, *folders = line_from(app).split()
        assert status == "0"
        assert all(Path(folder).exists() for folder in folders)
    assert not any(Path(folder).exists() for folder in folders)
