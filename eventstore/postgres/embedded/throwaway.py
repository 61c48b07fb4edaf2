"""A server for one test run."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from eventstore.postgres.embedded.server import EmbeddedServer


@contextlib.contextmanager
def throwaway_server(
    *,
    options: Mapping[str, str] | None = None,
    database: str = "postgres",
    listen_port: int | None = None,
    extra_peer_users: Sequence[str] = (),
    standby_of: str | None = None,
) -> Generator[EmbeddedServer]:
    """A server whose data are deleted at the end. The arguments are those of `EmbeddedServer.start`.

    >>> with throwaway_server(options={"fsync": "off"}) as server:  # doctest: +SKIP
    ...     psycopg.connect(server.dsn).execute("SELECT 1")
    """
    starter = os.getpid()
    data = Path(tempfile.mkdtemp(prefix="eventstore-"))
    try:
        server = EmbeddedServer.start(
            data,
            options=options,
            database=database,
            listen_port=listen_port,
            extra_peer_users=extra_peer_users,
            standby_of=standby_of,
        )
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        if os.getpid() == starter:
            shutil.rmtree(data, ignore_errors=True)
