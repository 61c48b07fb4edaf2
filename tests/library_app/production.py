"""The real thing: the app under its production server, on PostgreSQL, in a process of its own."""

import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

COMMAND = [sys.executable, "-c", "from library_app.cli import main; main()"]
EMAIL_KEY = "a key for all, as the history of all is one"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_served(address: str, process: "subprocess.Popen[str]") -> None:
    """Return when the app answers; fail if it ends before."""
    pause = threading.Event()
    while process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            pause.wait(0.05)
    pytest.fail(f"the app ended with status {process.returncode} before it served a page")


class Production:
    """The app on a database of its own, filled with the demo's history; it can be started again.

    Args:
        dsn: of a server on which a database can be made.
        log: a file for what it logs; by default it goes where that of the tests goes.
        settings: environment variables beside those that are needed.

    Attributes:
        address: of the app.
        dsn: of its database.
        process: the web server.
    """

    def __init__(self, dsn: str, log: Path | None = None, /, **settings: str) -> None:
        self._log = log
        self.dsn = _new_database(dsn, template=_with_history(dsn))
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._environment = os.environ | {
            "LIBRARY_DSN": self.dsn,
            "LIBRARY_SECRET_KEY": uuid.uuid4().hex,
            "LIBRARY_EMAIL_KEY": EMAIL_KEY,
            "LIBRARY_PORT": str(port),
            "LIBRARY_LAB_LIMIT": "1000000",  # all tests come from one address
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Serve, and return when it answers."""
        with nullcontext() if self._log is None else self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "serve"], env=self._environment, stdout=subprocess.DEVNULL, stderr=log, text=True
            )
        wait_until_served(f"{self.address}/", self.process)

    def stop(self) -> None:
        """Stop as a service manager does, and return when it has ended."""
        self.process.terminate()
        self.process.wait()


def _new_database(dsn: str, template: str = "template1") -> str:
    name = f"library_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    return make_conninfo(dsn, dbname=name)


@cache
def _with_history(dsn: str) -> str:
    """The name of a database with tables and history, made once, of which the others are copies."""
    filled = _new_database(dsn)
    keys = {"LIBRARY_SECRET_KEY": uuid.uuid4().hex, "LIBRARY_EMAIL_KEY": EMAIL_KEY}
    for step in ("init-db", "seed"):
        subprocess.run(
            [*COMMAND, step], env=os.environ | {"LIBRARY_DSN": filled} | keys, check=True, capture_output=True
        )
    return str(conninfo_to_dict(filled)["dbname"])


@contextmanager
def production(dsn: str, log: Path | None = None, /, **settings: str) -> Generator[Production]:
    """See `Production`."""
    opened = Production(dsn, log, **settings)
    try:
        yield opened
    finally:
        opened.stop()


@contextmanager
def served(dsn: str) -> Generator[str]:
    """Serve the app on a database of its own, filled with the demo's history. Yields its address."""
    with production(dsn) as opened:
        yield opened.address
