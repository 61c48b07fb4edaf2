"""Guard and INSERT as two statements of one transaction, and something that shall keep others out meanwhile."""

import json
from typing import Any

import psycopg

from eventstore.events import StorableEvent
from eventstore.filters import P
from eventstore.postgres.pool import borrowed
from eventstore.store import AppendCondition
from eventstore.testing.oracle import KEYS
from eventstore.testing.port import refusal
from eventstore.testing.twins.plain import INSERT, NEWEST_MATCH, PlainStore, batch


class _InTransaction(PlainStore):
    """Asks, and inserts."""

    def _guarded_insert(
        self,
        connection: psycopg.Connection[Any],
        events: tuple[StorableEvent, ...],
        condition: AppendCondition | None,
    ) -> list[int]:
        if condition is not None:
            question, parameters = self._sql(NEWEST_MATCH, condition)
            ((newest,),) = connection.execute(question, parameters).fetchall()
            if newest > condition.after:
                raise refusal(condition)
        statement, _ = self._sql(INSERT)
        return [number for (number,) in connection.execute(statement, batch(events)).fetchall()]


class PredicateLocks(_InTransaction):
    """One advisory lock for each predicate, so that disjoint boundaries do not wait for each other.

    The guard's snapshot is younger than the locks, and two appends about the same thing exclude each other. But numbers
    are drawn under different locks, so they become visible out of order, and "after the position read up to" means
    nothing any more.
    """

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        events = (first, *more)
        with borrowed(self._pool) as connection, connection.transaction():
            for predicate in sorted(_predicates(events, condition)):  # sorted, or two could wait for each other
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [predicate])
            return self._guarded_insert(connection, events, condition)


class Serializable(_InTransaction):
    """SERIALIZABLE, with the query in a transaction of its own, as every application does it.

    PostgreSQL aborts one of two transactions that overlap and depend on each other. It knows nothing of what was read
    before the transaction began, and numbers become visible out of order.
    """

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `RaceStore.append`."""
        try:
            with borrowed(self._pool) as connection, connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
                return self._guarded_insert(connection, (first, *more), condition)
        except psycopg.errors.SerializationFailure:
            assert condition is not None, "who asks nothing cannot fail to be serialised"
            raise refusal(condition) from None


def _predicates(events: tuple[StorableEvent, ...], condition: AppendCondition | None) -> set[str]:
    """What the append depends on, and what it is about itself."""
    items = () if condition is None else condition.filter.items
    asked = {predicate.pattern for item in items for predicate in item.predicates}
    payloads = [json.loads(event.payload) for event in events]
    return asked | {P(key, payload[key]).pattern for payload in payloads for key in KEYS}
