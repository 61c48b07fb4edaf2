"""A small event store for dynamic event streams (Dynamic Consistency Boundaries) on PostgreSQL.

A command queries its own dynamic stream by a filter, decides, and appends guarded by the same filter. See README.md
in this folder for the guarantees, the schema and the reasons.
"""

from eventstore.errors import (
    ConcurrencyConflict,
    ConflictingEvent,
    EventIdReused,
    EventStoreError,
    InvalidCondition,
    InvalidEvent,
    InvalidFilter,
    InvalidSnapshot,
    InvalidTransaction,
    PositionUnknown,
    SchemaMissing,
    SchemaOutdated,
    StoreUnavailable,
)
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filter_builder import FilterBuilder
from eventstore.filters import Filter, FilterItem, P
from eventstore.identifiers import uuid7
from eventstore.memory import InMemoryEventStore
from eventstore.replay import Projection, Replayed, replayed
from eventstore.snapshots import InMemorySnapshotStore, Snapshot, SnapshotKey, SnapshotStore
from eventstore.store import AppendCondition, Batch, Consistency, EventStore, EventStream, Subscription

__all__ = [
    "AppendCondition",
    "Batch",
    "ConcurrencyConflict",
    "ConflictingEvent",
    "Consistency",
    "EventIdReused",
    "EventStore",
    "EventStoreError",
    "EventStream",
    "Filter",
    "FilterBuilder",
    "FilterItem",
    "InMemoryEventStore",
    "InMemorySnapshotStore",
    "InvalidCondition",
    "InvalidEvent",
    "InvalidFilter",
    "InvalidSnapshot",
    "InvalidTransaction",
    "P",
    "PositionUnknown",
    "Projection",
    "Replayed",
    "SchemaMissing",
    "SchemaOutdated",
    "SequencedEvent",
    "Snapshot",
    "SnapshotKey",
    "SnapshotStore",
    "StorableEvent",
    "StoreUnavailable",
    "Subscription",
    "replayed",
    "uuid7",
]
