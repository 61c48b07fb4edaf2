"""Which PostgreSQL is measured: a given one on this machine, or a private one that stops with the program."""

import ipaddress
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError

EMBEDDED_DATA: Final = Path(".data", "benchmarks")
_CONNECT_SECONDS: Final = 5
_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('benchmarks of dynamic-event-streams', 0))"


class CannotMeasure(Exception):
    """There is nothing to measure; the message says in one line why."""


@contextmanager
def running_server(dsn: str | None) -> Generator[str]:
    """Give the connection string of the server to measure; nobody else measures on it until the end of the block.

    Args:
        dsn: a libpq connection string; None starts a private server whose data stay in `.data/benchmarks`.

    Raises:
        CannotMeasure: the server does not answer, is on another machine, or is being measured already.
    """
    if dsn is not None:
        with _alone_on(dsn):
            yield dsn
        return
    try:
        server = EmbeddedServer.start(EMBEDDED_DATA)
    except EmbeddedServerError as error:
        raise CannotMeasure(str(error)) from error
    with server, _alone_on(server.dsn):
        yield server.dsn


@contextmanager
def _alone_on(dsn: str) -> Generator[None]:
    try:
        with_timeout = make_conninfo(dsn, connect_timeout=_CONNECT_SECONDS)
        connection = psycopg.connect(with_timeout, autocommit=True)
    except psycopg.Error as error:
        raise CannotMeasure(f"no connection to PostgreSQL: {_in_one_line(error)}") from error
    with connection:
        if not _is_here(connection):
            raise CannotMeasure(
                f"{connection.info.host} is another machine: benchmarks load a server to its limits, so they only"
                " use one on this machine, through a Unix socket or a loopback address"
            )
        free = connection.execute(_LOCK).fetchone()
        if free != (True,):
            raise CannotMeasure("another benchmark runs on this server; two at once would measure each other")
        yield


def _is_here(connection: psycopg.Connection[Any]) -> bool:
    if connection.info.host.startswith(("/", "@")):  # a Unix socket
        return True
    return ipaddress.ip_address(connection.info.hostaddr).is_loopback


def _in_one_line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
