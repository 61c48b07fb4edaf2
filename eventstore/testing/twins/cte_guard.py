"""The guard inside the INSERT: the seed's statement, and the same with a lock in it.

It looks atomic and is not. At READ COMMITTED a statement sees what was committed when it began. Two statements that
overlap compute the same maximum from their snapshots, and both insert. A lock *inside* the statement does not help:
who has waited for it goes on with the snapshot from before.
"""

from typing import ClassVar, LiteralString

from eventstore.events import StorableEvent
from eventstore.postgres.pool import borrowed
from eventstore.store import AppendCondition
from eventstore.testing.port import refusal
from eventstore.testing.twins.plain import PlainStore, batch


class CteGuard(PlainStore):
    """The statement printed in the seed. "Nothing above the position read up to" is its "maximum unchanged"."""

    statement: ClassVar[LiteralString] = """
        WITH context AS (SELECT MAX(sequence_number) AS max_seq FROM {table} WHERE {matches})
        INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata)
        SELECT event.* FROM context, {batch} WHERE COALESCE(max_seq, 0) <= %s
        RETURNING sequence_number
    """

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        statement, parameters = self._sql(self.statement, condition)
        after = 0 if condition is None else condition.after
        with borrowed(self._pool) as connection:
            rows = connection.execute(statement, [*parameters, *batch((first, *more)), after]).fetchall()
        if not rows and condition is not None:
            raise refusal(condition)
        return [number for (number,) in rows]


class LockInCte(CteGuard):
    """The same, and the statement takes a lock first. Its snapshot is older than the lock all the same."""

    statement = """
        WITH append_lock AS MATERIALIZED (SELECT pg_advisory_xact_lock({lock})),
             context AS (SELECT MAX(sequence_number) AS max_seq FROM append_lock, {table} WHERE {matches})
        INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata)
        SELECT event.* FROM append_lock, context, {batch} WHERE COALESCE(max_seq, 0) <= %s
        RETURNING sequence_number
    """
