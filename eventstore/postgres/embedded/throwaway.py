"""A server for one test run."""

import contextlib
import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from eventstore.postgres.embedded import folder
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
    parent = Path(tempfile.mkdtemp(prefix="eventstore-"))
    if os.geteuid() == 0:
        parent.chmod(0o711)  # the server's OS user must get through
    data = parent / "data"
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
            folder.remove(data)
            parent.rmdir()
