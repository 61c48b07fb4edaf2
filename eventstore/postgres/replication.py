"""Synchronous replication: a commit that did not wait for it is not acknowledged.

Where synchronous_standby_names is set, COMMIT waits for a standby. Somebody who cancels that wait makes the statement
*succeed*: the transaction is committed and visible here, but a failover may lose it.
PostgreSQL says so only in a warning (src/backend/replication/syncrep.c).
"""

from typing import Any

from psycopg import Connection
from psycopg.errors import Diagnostic

from eventstore.errors import StoreUnavailable


class replication_awaited:  # noqa: N801 (read as a verb: `with replication_awaited(…):`)
    """Refuse to go on after the block if a commit in it gave up waiting for its standby.

    Raises:
        StoreUnavailable: with `outcome_unknown`, at the end of the block.
    """

    __slots__ = ("_connection", "_warnings")

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._warnings: list[str] = []

    def __enter__(self) -> None:
        self._connection.add_notice_handler(self._hear)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._connection.remove_notice_handler(self._hear)
        if error is None and self._warnings:
            raise StoreUnavailable(self._warnings[0], outcome_unknown=True)

    def _hear(self, diagnostic: Diagnostic) -> None:
        # The message is translated to the server's language, the function is not.
        if diagnostic.source_function == "SyncRepWaitForLSN":
            self._warnings.append(str(diagnostic.message_primary))
