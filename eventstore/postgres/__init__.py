"""The event store on PostgreSQL 15 or newer."""

from eventstore.postgres.engine import PostgresEventStore
from eventstore.postgres.pool import open_pool

__all__ = ["PostgresEventStore", "open_pool"]
