"""The event store on PostgreSQL. README.md in the folder above explains how and why it works."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import Filter
from eventstore.postgres import statements
from eventstore.postgres.appending import DEFAULT_LOCK_TIMEOUT, Appender
from eventstore.postgres.pool import Pool
from eventstore.postgres.reading import Reader
from eventstore.postgres.schema import TableName, management
from eventstore.postgres.sql_text import filled_in
from eventstore.postgres.subscriptions import DEFAULT_POLL_INTERVAL, Subscriptions
from eventstore.store import (
    AppendCondition,
    Consistency,
    EventStream,
    Subscription,
    check_at_least,
    check_limit,
    check_reached,
)


class PostgresEventStore:
    """Events in one table of PostgreSQL 15 or newer; safe to share between threads.

    Args:
        pool: made with `open_pool`, or any psycopg `ConnectionPool`.
        table: the events table, with or without a schema in front. Several tables in one database are several stores.
        lock_timeout: seconds that an append waits for the append lock before `StoreUnavailable`.
        listen_dsn: where the listening connection of the subscriptions connects to; None: where the pool does. Behind
            PgBouncer give the server's own address here; without it, subscriptions there only poll.
        poll_interval: seconds after which a subscription looks for events even if no notification came: how late it
            is at worst. One look costs the server about 0.2 ms.

    Raises:
        ValueError: for a table name, a time or a connection string that cannot be used.
    """

    def __init__(
        self,
        pool: Pool,
        table: str = "events",
        *,
        lock_timeout: float = DEFAULT_LOCK_TIMEOUT,
        listen_dsn: str | None = None,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
    ) -> None:
        self._pool = pool
        self._table = TableName.parse(table)
        self._reader = Reader(pool, self._table)
        self._appender = Appender(pool, self._table, lock_timeout)
        self._subscriptions = Subscriptions(self._reader, listen_dsn, poll_interval)

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,  # noqa: ARG002
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`."""
        check_limit(limit)
        check_at_least(at_least)
        stream = self._reader.query(filter, limit, backwards)
        check_reached(at_least, stream.position)
        return stream

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self._reader.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return self._subscriptions.subscribe(filter, after)

    def append(
        self,
        first: StorableEvent,
        /,
        *more: StorableEvent,
        condition: AppendCondition | None = None,
        connection: Connection[Any] | None = None,
    ) -> list[int]:
        """See `EventStore.append`; here the events can also join a transaction of the caller's.

        >>> with pool.connection() as connection, connection.transaction():  # doctest: +SKIP
        ...     store.append(event, condition=condition, connection=connection)
        ...     connection.execute("UPDATE shelf SET ...")

        Args:
            first, more: the batch.
            condition: what must not have happened since the query. None appends in any case.
            connection: a connection with an open READ COMMITTED transaction. The events are committed or rolled back
                with the rest of it. All other appends wait until it ends: keep it short. After any error but
                `ConcurrencyConflict`, `PositionUnknown` and `EventIdReused` it can only be rolled back.

        Raises:
            InvalidTransaction: there is no such transaction, or it has another isolation level.
        """
        return self._appender.append((first, *more), condition, connection)

    def sql(self, filter: Filter, *, limit: int | None = None, backwards: bool = False) -> str:
        """The statement that `query` sends, with the values in place: for people, and for EXPLAIN in psql."""
        check_limit(limit)
        return filled_in(*statements.query(self._table, filter, limit, backwards))

    def create_schema(self) -> None:
        """Create table, functions, triggers and indexes, all or nothing; if they exist, check them.

        Raises:
            SchemaOutdated: they exist in another version.
            SchemaMissing: the PostgreSQL schema that the table name begins with does not exist.
        """
        management.create(self._pool, self._table)

    def check_schema(self) -> None:
        """Make sure at start-up that this release can work with the schema in the database.

        Raises:
            SchemaMissing: there is none; run `create_schema()`.
            SchemaOutdated: it has another version, or its sequence was changed so that it breaks the order.
        """
        management.check(self._pool, self._table)
