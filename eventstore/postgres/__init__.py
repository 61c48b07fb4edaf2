"""The event store on PostgreSQL 15 or newer."""

from eventstore.postgres.appending import AppendTimes
from eventstore.postgres.engine import PostgresEventStore
from eventstore.postgres.pool import open_pool
from eventstore.postgres.snapshots import PostgresSnapshotStore
from eventstore.postgres.sql_text import where_clause

__all__ = ["AppendTimes", "PostgresEventStore", "PostgresSnapshotStore", "open_pool", "where_clause"]
