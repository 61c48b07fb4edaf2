"""What a store must offer so that the race kit can examine it: three methods to make one, and its own two.

README.md in this folder shows the whole port implemented for a store with another table layout.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from psycopg.sql import Identifier

from eventstore.errors import ConcurrencyConflict, ConflictingEvent
from eventstore.events import StorableEvent
from eventstore.filters import Filter
from eventstore.store import AppendCondition, EventStream


@dataclass(frozen=True, slots=True)
class EventsTable:
    """Where a store keeps its events.

    Attributes:
        schema: the PostgreSQL schema that the kit made for this store alone, and drops afterwards.
        name: the table that a row is inserted into for every event.
        number: the column that holds the event's place in the order.
    """

    schema: str
    name: str = "events"
    number: str = "sequence_number"

    @property
    def identifier(self) -> Identifier:
        """The qualified name, for SQL."""
        return Identifier(self.schema, self.name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class RaceStore(Protocol):
    """The two methods of a store that a race needs. Every `EventStore` has them.

    The kit's filters all look the same: one item, one event type, any of two predicates with strings as values
    (`filter.items[0].event_types`, `.predicates`). Only the judge reads everything of that type.
    """

    def query(self, filter: Filter, /) -> EventStream:
        """Return the matching events in order, and the position up to which they were read."""
        ...

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """Append all or none, and return their numbers.

        Raises:
            ConcurrencyConflict: the condition does not hold; `refusal` makes one for a store that knows no more.
        """
        ...


class RaceSubject(Protocol):
    """A kind of store on PostgreSQL, in the hands of the race kit."""

    def create(self, dsn: str, schema: str) -> EventsTable:
        """Make an empty store in an empty schema, which is also the first of the search path of `dsn`."""
        ...

    def open(self, dsn: str, table: EventsTable, connections: int) -> AbstractContextManager[RaceStore]:
        """Open the store for one session of a schedule, or for all writers of a randomized race.

        Args:
            dsn: what every connection must be made from: the kit knows a session by the `application_name` in it.
            table: what `create` returned.
            connections: how many callers there will be at a time.
        """
        ...

    def row(self, event: StorableEvent) -> Mapping[str, object]:
        """The columns that somebody fills who writes the event into the table by hand, not knowing the append."""
        ...


def refusal(condition: AppendCondition) -> ConcurrencyConflict:
    """The conflict of a store that cannot tell which event it met."""
    unknown = ConflictingEvent(condition.after + 1, "an unknown type", UUID(int=0))
    return ConcurrencyConflict(unknown, str(condition.filter), condition.after, condition.after + 1)
