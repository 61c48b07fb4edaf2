"""What the tests of the embedded server share: options, other apps, and waiting."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

import eventstore
from eventstore.postgres.embedded import EmbeddedServer

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
PYTHONPATH = [folder for folder in [os.environ.get("PYTHONPATH")] if folder]
AS_ROOT = os.geteuid() == 0
REPOSITORY = Path(eventstore.__file__).parents[1]
APP = """
import os, pathlib, pwd, sys
from eventstore.postgres.embedded import EmbeddedServer
for user in map(pwd.getpwnam, sys.argv[2:]):
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
server = EmbeddedServer.start(pathlib.Path(sys.argv[1]), options={"fsync": "off", "shared_buffers": "16MB"})
print(server.pid, flush=True)
sys.stdin.read()
server.stop()
"""

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root's server runs as another OS user")


@contextlib.contextmanager
def app_on(
    data: Path, *arguments: str, program: str = APP, pythonpath: Path = REPOSITORY
) -> Generator["subprocess.Popen[str]"]:
    """Another app, in a process of its own, that starts a server on the folder and runs until its input ends.

    `arguments`: the OS user as which the app runs, if it is not the calling one.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(pythonpath), str(REPOSITORY), *PYTHONPATH])}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(data), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as app:
        try:
            yield app
        finally:
            app.communicate()


@contextlib.contextmanager
def left_behind(data: Path, *os_user: str) -> Generator[int]:
    """The process id of a server whose app was killed."""
    with app_on(data, *os_user) as app:
        pid = int(line_from(app))
        app.kill()
        app.wait()
        assert alive(pid)
        yield pid


def line_from(app: "subprocess.Popen[str]") -> str:
    assert app.stdout is not None
    return app.stdout.readline().strip()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait for what is bound to happen soon."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def wait_for_the_end_of(pid: int) -> None:
    """A process that ends lets go of its locks a little earlier."""
    wait_for(lambda: not alive(pid))


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended, and that nobody has asked for its result yet, does not."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def write(server: EmbeddedServer, note: str) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
        connection.execute("INSERT INTO notes VALUES (%s)", [note])


def written(server: EmbeddedServer, note: str) -> bool:
    with psycopg.connect(server.dsn) as connection:
        return connection.execute("SELECT 1 FROM notes WHERE note = %s", [note]).fetchone() is not None
