"""A place in the database for one store under examination: a schema of its own, dropped afterwards."""

import uuid
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from eventstore.testing.port import EventsTable, RaceStore, RaceSubject

_TERMINATE: Final[LiteralString] = """
SELECT pg_terminate_backend(pid, 10000)
FROM pg_stat_activity
WHERE starts_with(application_name, %s) AND datname = current_database()
"""


@dataclass(frozen=True, slots=True)
class Arena:
    """An empty store, and how to reach it.

    Attributes:
        dsn: the server, as the caller gave it.
        subject: the kind of store.
        table: its events table, empty at first.
    """

    dsn: str
    subject: RaceSubject
    table: EventsTable

    def open(self, session: str, connections: int = 1) -> AbstractContextManager[RaceStore]:
        """Open the store for a session of its own.

        Args:
            session: its name, known to the kit by `application_name`.
            connections: how many callers it will have at a time.
        """
        return self.subject.open(self.dsn_of(session), self.table, connections)

    def dsn_of(self, session: str) -> str:
        """A connection string that leads into the store's schema, and by which the kit recognises the session."""
        return _into_schema(self.dsn, self.table.schema, self.application_name(session))

    def application_name(self, session: str) -> str:
        """What the connections of a session are called in pg_stat_activity."""
        return f"{self.table.schema} {session}"


@contextmanager
def arena(subject: RaceSubject, dsn: str) -> Generator[Arena]:
    """Make an empty store of this kind in a schema of its own, and drop the schema at the end.

    Args:
        subject: the kind of store.
        dsn: a role that may create a schema, and triggers on the tables in it.
    """
    schema = f"race_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        try:
            yield Arena(dsn, subject, subject.create(_into_schema(dsn, schema, f"{schema} maker"), schema))
        finally:
            # A store that leaves a connection behind, perhaps in a transaction, shall not hang the kit.
            owner.execute(_TERMINATE, [schema])
            owner.execute("SET client_min_messages = warning; SET lock_timeout = '30s'")
            owner.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def _into_schema(dsn: str, schema: str, application_name: str) -> str:
    options = str(conninfo_to_dict(dsn).get("options") or "")
    return make_conninfo(
        dsn, application_name=application_name, options=f"{options} -c search_path={schema},public".strip()
    )
