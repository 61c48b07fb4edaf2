"""`make run`'s own command: it starts a database, fills it, serves, and takes everything with it when it ends."""

import contextlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.library_app.production import COMMAND, free_port, wait_until_served


@contextlib.contextmanager
def data_folder() -> Generator[Path]:
    """A new folder that the database's own OS user can enter."""
    parent = Path(tempfile.mkdtemp(prefix="library-"))
    parent.chmod(0o711)
    try:
        yield parent / "data"
    finally:
        shutil.rmtree(parent)


@contextlib.contextmanager
def demo(data: Path, port: int, stop_with: signal.Signals) -> Generator[str]:
    command = [*COMMAND, "demo", "--port", str(port), "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until_served(f"http://127.0.0.1:{port}/", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(stop_with)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert f"http://127.0.0.1:{port}/" in output


def newest_event(address: str) -> int:
    with urllib.request.urlopen(f"{address}/api/events", timeout=10) as answer:
        found = re.search(r'"Position": ?(\d+)', answer.read().decode())
    assert found is not None
    return int(found.group(1))


def processes_of(data: Path) -> list[str]:
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(data) in line]


def test_the_demo_keeps_its_data_and_leaves_no_process_behind() -> None:
    with data_folder() as data:
        port = free_port()
        with demo(data, port, signal.SIGINT) as address:
            before = newest_event(address)
            assert before > 300, "the demo has a history"
            assert processes_of(data)
            assert {file.name for file in data.glob("*-key")} == {"secret-key", "email-key"}
        assert not processes_of(data)
        with demo(data, port, signal.SIGTERM) as address:
            assert newest_event(address) == before, "the history is written once"
        assert not processes_of(data)


def test_a_port_that_is_taken_is_said_before_anything_starts(address: str) -> None:
    port = address.rsplit(":", 1)[1]
    with data_folder() as data:
        refused = subprocess.run(
            [*COMMAND, "demo", "--port", port, "--data", str(data)], capture_output=True, text=True, check=False
        )
        assert refused.returncode == 1
        assert port in refused.stderr
        assert "Traceback" not in refused.stderr
        assert not (data / "postgresql").exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "LIBRARY_DSN"),
        ({"LIBRARY_DSN": "host=/nonexistent dbname=library"}, "Is it running"),
        ({"LIBRARY_DSN": "host=/nonexistent dbname=library", "LIBRARY_PORT": "many"}, "LIBRARY_PORT"),
    ],
)
def test_a_start_that_cannot_work_says_what_to_do(variables: dict[str, str], said: str) -> None:
    secrets = {"LIBRARY_SECRET_KEY": "0123456789abcdef", "LIBRARY_EMAIL_KEY": "fedcba9876543210"}
    environment = secrets | {"PATH": "/usr/bin:/bin"} | variables
    refused = subprocess.run(
        [*COMMAND, "serve"], capture_output=True, text=True, check=False, env=environment, cwd=Path(__file__).parents[3]
    )
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
