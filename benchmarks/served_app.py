"""The app under its production server, in processes of its own, on a database that is made for it and kept."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.errors import DependentObjectsStillExist
from psycopg.sql import SQL, Identifier
from rich.progress import Progress

from benchmarks.priming import PrimedStore, prime
from benchmarks.server import CannotMeasure

_COMMAND: Final = (sys.executable, "-c", "from library_app.cli import main; main()")
_STARTS_WITHIN: Final = 60.0  # seconds
_ENDS_WITHIN: Final = 30.0


@dataclass(frozen=True, slots=True)
class LibraryDatabase:
    """A database with all tables of the app, and a history in its log.

    Attributes:
        dsn: of the database.
        primed: its log.
    """

    dsn: str
    primed: PrimedStore


def database_name(events: int) -> str:
    """Where the app finds a history of this length."""
    return f"benchmark_library_{events}"


def library_database(
    dsn: str, events: int, *, progress: Progress | None = None, fresh: bool = False
) -> LibraryDatabase:
    """Make the database unless it is there: primed as every benchmark primes, then with `init-db` and `rebuild`.

    Args:
        dsn: of a server on which databases can be made.
        events: the length of the history.
        progress: shows the phases of priming.
        fresh: make it again.

    Raises:
        CannotMeasure: a database of this name belongs to somebody else, or a step fails.
    """
    name = database_name(events)
    own = make_conninfo(dsn, dbname=name)
    with psycopg.connect(dsn, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    with psycopg.connect(own, autocommit=True) as inside, suppress(DependentObjectsStillExist):
        inside.execute("DROP SCHEMA IF EXISTS public")  # only an empty one: priming makes its own
    primed = prime(own, events, progress=progress, fresh=fresh, schema="public")
    for step in ("init-db",) if primed.reused else ("init-db", "rebuild"):
        _carry_out(step, own)
    return LibraryDatabase(own, primed)


@dataclass(frozen=True, slots=True)
class ServedApp:
    """The app, answering.

    Attributes:
        host, port: where.
        start_up: seconds from the start of the program until the first page was answered.
        process: the master of the web server.
    """

    host: str
    port: int
    start_up: float
    process: "subprocess.Popen[bytes]"

    def memory_of_workers(self) -> list[float]:
        """Resident megabytes of each worker, shared pages included; empty where /proc does not tell."""
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            statuses = [Path(f"/proc/{child}/status").read_text().splitlines() for child in children]
        except OSError:
            return []
        return [int(line.split()[1]) / 1024 for status in statuses for line in status if line.startswith("VmRSS:")]


@contextmanager
def served(database: LibraryDatabase) -> Generator[ServedApp]:
    """Serve the app with its own defaults until the end of the block.

    Raises:
        CannotMeasure: it does not start.
    """
    host, port = "127.0.0.1", _free_port()
    environment = _environment(database.dsn) | {"LIBRARY_HOST": host, "LIBRARY_PORT": str(port)}
    began = time.perf_counter()
    with (
        TemporaryFile() as log,  # a line for each request; a pipe that nobody reads would be full soon
        subprocess.Popen(  # noqa: S603 (our own program)
            [*_COMMAND, "serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us, who then end it
        ) as process,
    ):
        try:
            _wait_until_it_answers(f"http://{host}:{port}/", process, log, began + _STARTS_WITHIN)
            yield ServedApp(host, port, time.perf_counter() - began, process)
        finally:
            _end(process)


def _environment(dsn: str) -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    settings = {key: value for key, value in os.environ.items() if not key.startswith("LIBRARY_")}
    return settings | {"LIBRARY_DSN": dsn, "LIBRARY_SECRET_KEY": secret, "LIBRARY_EMAIL_KEY": secret}


def _carry_out(step: str, dsn: str) -> None:
    done = subprocess.run(  # noqa: S603 (our own program)
        [*_COMMAND, step], env=_environment(dsn), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotMeasure(f"library-app {step} failed: {' '.join(done.stderr.split())}")


def _wait_until_it_answers(address: str, process: "subprocess.Popen[bytes]", log: IO[bytes], until: float) -> None:
    while process.poll() is None and time.perf_counter() < until:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 (the address is ours)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    _end(process)
    log.seek(0)
    said = log.read().decode(errors="replace")
    raise CannotMeasure(f"the app did not start: {' '.join(said.split()) or 'it does not answer'}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
