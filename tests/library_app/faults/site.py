"""A database server, a database, and the app that serves it: what a fault befalls."""

import errno
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from eventstore.postgres.embedded import EmbeddedServer, throwaway_server
from tests.library_app.faults.served import ServedApp, served_app

QUICK: Final[Mapping[str, str]] = {"fsync": "off", "shared_buffers": "16MB", "autovacuum": "off"}
"""Processes are killed, never the machine: what they have written is with the kernel, and need not wait for a disk."""


@dataclass(frozen=True, slots=True)
class Site:
    """What stands in a server room.

    Attributes:
        server: of the database.
        app: the web server.
        dsn: where the log is read at the end.
    """

    server: EmbeddedServer
    app: ServedApp
    dsn: str


@contextmanager
def site(**settings: str) -> Generator[Site]:
    """A server and an app of one's own.

    Args:
        settings: of the app.
    """
    with throwaway_server(options=QUICK) as server, served_app(server.dsn, **settings) as app:
        yield Site(server, app, server.dsn)


@contextmanager
def site_with_standby() -> Generator[tuple[Site, EmbeddedServer]]:
    """The app knows both servers, and uses the one that can be written to. Commits wait for the standby."""
    prompt = {**QUICK, "wal_retrieve_retry_interval": "100ms"}
    with (
        throwaway_server(options=QUICK) as primary,
        throwaway_server(options=prompt, standby_of=primary.dsn) as standby,
    ):
        run(primary.dsn, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        run(primary.dsn, "SELECT pg_reload_conf()")
        hosts = f"{primary.socket_directory},{standby.socket_directory}"
        both = make_conninfo(primary.dsn, host=hosts, port="5432,5432", target_session_attrs="read-write")
        with served_app(both) as app:
            yield Site(primary, app, both), standby


@contextmanager
def site_on_small_disk(megabytes: int = 32) -> "Generator[tuple[Site, Ballast]]":
    """The tables lie on a disk of their own, a small one; the server's own files do not.

    Needs the right to mount a file system.

    Yields:
        The site, and what fills the disk.
    """
    with throwaway_server(options=QUICK) as server, _small_disk(server.user, megabytes) as folder:
        tables = folder / "tables"
        tables.mkdir()
        shutil.chown(tables, server.user)
        run(server.dsn, f"CREATE TABLESPACE small LOCATION '{tables}'")
        run(server.dsn, "CREATE DATABASE library TABLESPACE small")
        dsn = make_conninfo(server.dsn, dbname="library")
        try:
            with served_app(dsn) as app:
                yield Site(server, app, dsn), Ballast(folder)
        finally:
            server.stop("immediate")  # a disk in use cannot be unmounted


def run(dsn: str, statement: str) -> None:
    """Run one statement outside a transaction block."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


def ask(dsn: str, question: str) -> Any:
    """The only value that a statement returns."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def wait(seconds: float) -> None:
    """The fault lasts so long."""
    threading.Event().wait(seconds)


class Ballast:
    """A file that takes all the space that a disk has left."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def load(self) -> None:
        """Leave no space."""
        with self._file.open("wb", buffering=0) as opened:
            for size in (65_536, 1):
                try:
                    while True:
                        opened.write(bytes(size))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise

    def drop(self) -> None:
        """Give it back."""
        self._file.unlink()


@contextmanager
def _small_disk(owner: str, megabytes: int) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    try:
        options = f"size={megabytes}m,mode=0755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, capture_output=True)
        try:
            shutil.chown(folder, owner)
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True, capture_output=True)
    finally:
        folder.rmdir()
