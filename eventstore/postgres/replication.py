"""Synchronous replication: a commit that did not wait for it is not acknowledged.

Where synchronous_standby_names is set, COMMIT waits for a standby. Somebody who cancels that wait makes the statement
*succeed*: the transaction is committed and visible here, but a failover may lose it.
PostgreSQL says so only in a warning (src/backend/replication/syncrep.c).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.errors import Diagnostic

from eventstore.errors import StoreUnavailable


@contextmanager
def replication_awaited(connection: Connection[Any]) -> Generator[None]:
    """Refuse to go on after the block if a commit in it gave up waiting for its standby.

    Raises:
        StoreUnavailable: with `outcome_unknown`.
    """
    warnings: list[str] = []

    def notice(diagnostic: Diagnostic) -> None:
        # The message is translated to the server's language, the function is not.
        if diagnostic.source_function == "SyncRepWaitForLSN":
            warnings.append(str(diagnostic.message_primary))

    connection.add_notice_handler(notice)
    try:
        yield
    finally:
        connection.remove_notice_handler(notice)
    if warnings:
        raise StoreUnavailable(warnings[0], outcome_unknown=True)
