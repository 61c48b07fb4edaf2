"""The real thing: the app under its production server, on PostgreSQL, seen with Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Generator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from psycopg.sql import SQL, Identifier

COMMAND = [sys.executable, "-c", "from library_app.cli import main; main()"]
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


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


@pytest.fixture(scope="session")
def address(dsn: str) -> Generator[str]:
    """The address of the app: a database of its own, filled with the demo's history."""
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


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """Headless Chromium, as the system has it."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """A page in a session of its own. A script error or a blocked resource on it fails the test."""
    context = browser.new_context()
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    # Chromium reports every answer of 400 or more as an error; refusals are such answers, and meant.
    opened.on("console", lambda line: errors.append(line.text) if _is_error(line.type, line.text) else None)
    yield opened
    context.close()
    assert not errors


def _is_error(kind: str, text: str) -> bool:
    return kind == "error" and "the server responded with a status of 4" not in text
