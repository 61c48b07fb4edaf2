"""Everything that can go wrong in an event store, as one tree.

    EventStoreError
    ├── InvalidEvent            (also a ValueError)   the event cannot be stored, now or later
    ├── InvalidFilter           (also a ValueError)   the filter has no meaning, or a dangerous one
    ├── InvalidCondition        (also a ValueError)   the append condition cannot guard what it should
    ├── InvalidSnapshot         (also a ValueError)   the snapshot's key or state cannot be kept
    ├── InvalidTransaction      (also a ValueError)   the caller's transaction cannot carry an append
    ├── EventIdReused           (also a ValueError)   an event id stands for other content already
    ├── ConcurrencyConflict     somebody appended a matching event after the caller had read
    ├── PositionUnknown         the position lies beyond the end of this store
    ├── SchemaMissing           the events table or its functions do not exist
    ├── SchemaOutdated          they exist, but not in the version this package needs
    └── StoreUnavailable        the store did not answer, or refused to work just now

A caller that knows nothing of databases can tell from the type alone what to do: correct the input, query again
(`ConcurrencyConflict`), or try later (`StoreUnavailable`). Exceptions of the database driver never leave the package.
"""

from dataclasses import dataclass
from uuid import UUID


class EventStoreError(Exception):
    """The root of all errors raised by this package."""


class InvalidEvent(EventStoreError, ValueError):
    """The event cannot be stored: its type, time, payload or metadata is not what a store accepts."""


class InvalidFilter(EventStoreError, ValueError):
    """The filter has no meaning, or would silently match something else than it says."""


class InvalidCondition(EventStoreError, ValueError):
    """The append condition cannot guard a decision: it was built from an incomplete read or has no valid position."""


class InvalidSnapshot(EventStoreError, ValueError):
    """The name, version or state of a projection is nothing that a snapshot can be kept under, or of."""


class InvalidTransaction(EventStoreError, ValueError):
    """The caller's connection has no open transaction at READ COMMITTED that could still be committed."""


class EventIdReused(EventStoreError, ValueError):
    """An event id is stored already with another type or payload, or occurs twice in one batch. Nothing was written."""


class PositionUnknown(EventStoreError):
    """The position lies beyond the head of this store: it comes from another store. Nothing was written.

    Attributes:
        after: the position given, by a condition's `after` or a query's `at_least`.
        head: the newest event of this store.
    """

    def __init__(self, after: int, head: int) -> None:
        super().__init__(
            f"position {after} was given, but the newest event of this store is {head}:"
            " the position comes from another store"
        )
        self.after = after
        self.head = head


class SchemaMissing(EventStoreError):
    """The events table or its functions do not exist in this database."""


class SchemaOutdated(EventStoreError):
    """The schema in the database is not the one that this version of the package needs."""


@dataclass(frozen=True, slots=True)
class ConflictingEvent:
    """The first event that a guard met: enough to find it, without its payload."""

    sequence_number: int
    event_type: str
    event_id: UUID


class ConcurrencyConflict(EventStoreError):
    """An event that matches the condition was committed after the position the caller had read up to.

    Nothing was written. The answer is to query again and decide anew, never to repeat the append.

    Attributes:
        event: the first such event.
        filter_item: the item of the filter that it matches, in words; "any event" if the filter has no items.
        after: what the caller had read up to.
        head: the newest event of the store when the guard was evaluated.
    """

    def __init__(self, event: ConflictingEvent, filter_item: str, after: int, head: int) -> None:
        super().__init__(
            f"event {event.sequence_number} ({event.event_type}) was appended after position {after}"
            f" and matches {filter_item}"
        )
        self.event = event
        self.filter_item = filter_item
        self.after = after
        self.head = head


class StoreUnavailable(EventStoreError):
    """The store cannot be reached, or did not finish the request.

    Attributes:
        outcome_unknown: True if an append may have been committed all the same (the connection was lost after the
            request had been sent). Appending the *same events with the same event ids* again is then safe and tells;
            deciding anew is not. False: nothing was written.
    """

    def __init__(self, message: str, *, outcome_unknown: bool) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown
