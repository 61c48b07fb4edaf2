"""The app under its production server, on a database of the caller's, to be killed and started again at will."""

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.library_app.production import COMMAND, free_port, wait_until_served


class ServedApp:
    """Master and workers in a process group of their own.

    Args:
        dsn: of a database that `init-db` may fill.
        log: where what the app says is kept.
        settings: environment variables beside those that are needed.

    Attributes:
        port, address: on 127.0.0.1, the same after each start.
    """

    def __init__(self, dsn: str, log: Path, settings: dict[str, str]) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = os.environ | {
            "LIBRARY_DSN": dsn,
            "LIBRARY_SECRET_KEY": uuid.uuid4().hex,
            "LIBRARY_EMAIL_KEY": uuid.uuid4().hex,
            "LIBRARY_PORT": str(self.port),
            **settings,
        }
        subprocess.run([*COMMAND, "init-db"], env=self._environment, check=True, capture_output=True)
        self.start()

    def start(self) -> None:
        """Serve, and return when it answers."""
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [*COMMAND, "serve"],
                env=self._environment,
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )
        wait_until_served(f"{self.address}/", self._process)

    def kill(self) -> None:
        """End the master and all workers with SIGKILL, at one moment."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def said(self) -> str:
        """Everything that it has logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def served_app(dsn: str, **settings: str) -> Generator[ServedApp]:
    """See `ServedApp`. At the end nobody waits until it is done."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        app = ServedApp(dsn, Path(folder, "app.log"), settings)
        try:
            yield app
        finally:
            app.kill()
