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
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

COMMAND = [sys.executable, "-c", "from library_app.cli import main; main()"]


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


@contextmanager
def served(dsn: str) -> Generator[str]:
    """Serve the app on a database of its own, filled with the demo's history. Yields its address."""
    database = f"library_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database)))
    port = free_port()
    environment = os.environ | {
        "LIBRARY_DSN": psycopg.conninfo.make_conninfo(dsn, dbname=database),
        "LIBRARY_SECRET_KEY": uuid.uuid4().hex,
        "LIBRARY_EMAIL_KEY": uuid.uuid4().hex,
        "LIBRARY_PORT": str(port),
    }
    for step in ("init-db", "seed"):
        subprocess.run([*COMMAND, step], env=environment, check=True, capture_output=True)
    with subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            wait_until_served(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
