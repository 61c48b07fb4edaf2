"""A primary and its streaming standby, started by the tests."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import pytest

from eventstore.postgres.embedded import EmbeddedServer, throwaway_server

_SMALL: Final = {"fsync": "off", "shared_buffers": "16MB", "autovacuum": "off", "wal_keep_size": "512MB"}
_PROMPT: Final = {"wal_retrieve_retry_interval": "100ms"}


@dataclass(frozen=True)
class Servers:
    """The pair, and what tests do with it."""

    primary: EmbeddedServer
    standby: EmbeddedServer

    def pause_replay(self) -> None:
        """From now on the standby receives what happens, but does not show it."""
        run(self.standby.dsn, "SELECT pg_wal_replay_pause()")
        wait_until(lambda: ask(self.standby.dsn, "SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume_replay(self) -> None:
        run(self.standby.dsn, "SELECT pg_wal_replay_resume()")

    def stop_standby(self) -> None:
        self.standby.stop("immediate")

    def start_standby(self) -> None:
        self.standby.restart()

    @contextmanager
    def commits_hang(self) -> Generator[None]:
        """Commits wait for a synchronous standby that is missing; our standby shows them already."""
        self.configure(self.primary, "synchronous_standby_names", "missing")
        try:
            yield
        finally:
            self.configure(self.primary, "synchronous_standby_names", "")

    @contextmanager
    def primary_down(self) -> Generator[None]:
        """Stop the primary, and start it again at the end."""
        self.primary.stop("immediate")
        try:
            yield
        finally:
            self.primary.restart()

    def promote_standby(self) -> None:
        """From now on the standby is a primary of its own."""
        assert ask(self.standby.dsn, "SELECT pg_promote()")

    def wait_until_caught_up(self) -> None:
        """Wait until the standby shows everything that is committed now."""
        end = ask(self.primary.dsn, "SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: ask(self.standby.dsn, "SELECT pg_last_wal_replay_lsn() >= %s", end))

    def configure(self, server: EmbeddedServer, setting: str, value: str) -> None:
        """Change a setting while the server runs."""
        run(server.dsn, f"ALTER SYSTEM SET {setting} = '{value}'")
        run(server.dsn, "SELECT pg_reload_conf()")
        wait_until(lambda: ask(server.dsn, f"SHOW {setting}") == value)

    def make_usual(self) -> None:
        """Undo whatever a test has done to the pair, except a promotion."""
        try:
            self.resume_replay()
        except psycopg.OperationalError:
            self.start_standby()
        self.configure(self.standby, "max_standby_streaming_delay", "30s")
        self.wait_until_caught_up()


@contextmanager
def streaming_pair() -> Generator[Servers]:
    """A pair of one's own, for a test after which it is of no use to others."""
    with (
        throwaway_server(options=_SMALL) as primary,
        throwaway_server(options={**_SMALL, **_PROMPT}, standby_of=primary.dsn) as standby,
    ):
        yield Servers(primary, standby)


def run(dsn: str, statement: str, *parameters: object) -> None:
    """Run one statement outside a transaction block."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode(), parameters)


def ask(dsn: str, question: str, *parameters: object) -> Any:
    """The only value that a statement returns."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(question.encode(), parameters).fetchone()
        assert row is not None
        return row[0]


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for what is bound to happen soon."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("what should have happened has not")
