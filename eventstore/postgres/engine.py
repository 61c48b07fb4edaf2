"""The event store on PostgreSQL. README.md in the folder above explains how and why it works."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import Filter
from eventstore.postgres import statements
from eventstore.postgres.appending import DEFAULT_LOCK_TIMEOUT, Appender, OnAppend
from eventstore.postgres.pool import Pool
from eventstore.postgres.reading import Reader
from eventstore.postgres.replica import DEFAULT_PATIENCE, Replica, wait_for_append_under_way
from eventstore.postgres.schema import TableName, management, rights
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
        lock_timeout: seconds that a transaction waits for the append lock before `StoreUnavailable`. An append may have
            to wait for two others of this store before its own begins.
        replica: leads to a hot standby, or to several, which may answer queries with `Consistency.EVENTUAL`. Nothing
            else is asked of it: strong queries, streams, subscriptions and appends are the primary's.
        replica_patience: seconds that such a query waits for the replica, for a free connection and for `at_least`,
            before the primary answers.
        listen_dsn: where the listening connection of the subscriptions connects to; None: where the pool does. Behind
            PgBouncer give the server's own address here; without it, subscriptions there only poll.
        poll_interval: seconds after which a subscription looks for events even if no notification came: how late it
            is at worst. One look costs the server about 0.2 ms.
        on_append: told after each answer of the append function how long it waited for the lock, on the thread of the
            caller of `append`; more than once for a stale condition. What it raises reaches that caller, whether or
            not the events were stored. Answers that are errors are not told of.

    Raises:
        ValueError: for a table name, a time or a connection string that cannot be used.
    """

    def __init__(
        self,
        pool: Pool,
        table: str = "events",
        *,
        lock_timeout: float = DEFAULT_LOCK_TIMEOUT,
        replica: Pool | None = None,
        replica_patience: float = DEFAULT_PATIENCE,
        listen_dsn: str | None = None,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        on_append: OnAppend | None = None,
    ) -> None:
        self._pool = pool
        self._table = TableName.parse(table)
        self._lock_timeout = lock_timeout
        self._reader = Reader(pool, self._table)
        self._appender = Appender(pool, self._table, lock_timeout, on_append)
        self._replica = None if replica is None else Replica(replica, self._table, replica_patience)
        self._subscriptions = Subscriptions(self._reader, listen_dsn, poll_interval)

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`; here EVENTUAL lets the replica answer, if it does so in time.

        The append condition of an eventual answer guards as well as any other: it covers everything after the
        position of the answer, and the primary evaluates it. The older the answer, the likelier a conflict.
        """
        check_limit(limit)
        check_at_least(at_least)
        if consistency is Consistency.EVENTUAL and self._replica is not None:
            answer = self._replica.query(filter, limit, backwards, at_least)
            if answer is not None:
                return answer
        stream = self._reader.query(filter, limit, backwards)
        if at_least is not None and at_least > stream.position:
            wait_for_append_under_way(self._pool, self._table, self._lock_timeout)
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
        """Create tables, functions, triggers and indexes, all or nothing; if they exist, check them.

        An older version is left as it is: an upgrade is for somebody to decide, who knows that no process of an older
        release still starts, and not for whichever process of the new release comes first.

        Raises:
            SchemaOutdated: they exist in another version; the message says what to run.
            SchemaMissing: the PostgreSQL schema that the table name begins with does not exist.
        """
        management.create(self._pool, self._table)

    def upgrade_schema(self) -> int:
        """Bring the schema of any older release up to date, all or nothing; if it is, check it.

        Runs in one transaction, while appends wait. What it adds belongs to the owner of the events table, and only
        the owner, a member of the owner's role or a superuser may run it.

        Returns:
            the version that was found.

        Raises:
            SchemaMissing: there is none; run `create_schema()`.
            SchemaOutdated: the database is newer than this release; update the package.
            StoreUnavailable: the upgrade was refused or interrupted. Nothing has changed.
        """
        return management.upgrade(self._pool, self._table)

    def check_schema(self) -> None:
        """Make sure at start-up that this release can work with the schema in the database.

        Raises:
            SchemaMissing: there is none; run `create_schema()`.
            SchemaOutdated: it has another version, or its sequence was changed so that it breaks the order. The
                message says what to run.
            ValueError: the replica is one of another database.
        """
        management.check(self._pool, self._table)
        if self._replica is not None:
            self._replica.check_same_database(self._pool)

    def grants_for(self, role: str, *, snapshots: bool = False) -> str:
        """SQL that lets a role do what an application does, and nothing else: for the owner of the tables to run.

        The role can read events and append them through the append functions. It cannot insert, change or delete
        them, draw numbers, or change the schema. To run it again does no harm.

        >>> print(store.grants_for("library"))  # doctest: +SKIP
        GRANT USAGE ON SCHEMA "public" TO "library";
        ...

        Args:
            role: the name of a role that exists.
            snapshots: let it keep snapshots, too.
        """
        return rights.grants(self._table, role, snapshots=snapshots)
