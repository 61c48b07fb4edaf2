"""The read side of the engine: queries in one statement, and streams window by window."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from eventstore.errors import PositionUnknown
from eventstore.events import SequencedEvent
from eventstore.filters import HIGHEST_POSITION, Filter
from eventstore.postgres import statements
from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from eventstore.store import Batch, EventStream, reason_for_cut

WINDOW: Final = 2_000
"""Positions that a stream examines at a time: few enough for little memory, enough to make round trips not matter."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one events table through one pool.

    Attributes:
        pool: where the connections come from.
        table: the events table.
        patience: seconds to wait for a free connection; None: as long as the pool says.
    """

    pool: Pool
    table: TableName
    patience: float | None = None

    def query(self, filter: Filter, limit: int | None, backwards: bool) -> EventStream:
        """One statement, so that events and position come from one snapshot."""
        statement, parameters = statements.query(self.table, filter, limit, backwards)
        with borrowed(self.pool, self.patience) as connection, translated(may_have_written=False):
            rows = fetch(connection, statement, parameters)
        return stream_of(rows, filter, limit, backwards)

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """Read up to the head of this moment; no transaction stays open from one window to the next."""
        head = self.head()
        return self._windows(filter, head)

    def window(self, filter: Filter, after: int) -> Batch:
        """Examine the next few events after a position; the batch says how far that was.

        Raises:
            PositionUnknown: the position lies beyond the head of this store.
        """
        up_to = HIGHEST_POSITION if filter.up_to is None else filter.up_to
        statement, parameters = statements.window(self.table, filter, after, up_to, WINDOW)
        with borrowed(self.pool, self.patience) as connection, translated(may_have_written=False):
            rows = fetch(connection, statement, parameters)
        position: int = rows[0][0]
        if position < after:
            raise PositionUnknown(after, position)
        return Batch(_events(rows), position)

    def head(self) -> int:
        """The newest position of the store."""
        with borrowed(self.pool, self.patience) as connection, translated(may_have_written=False):
            rows = fetch(connection, statements.head(self.table), [])
        head: int = rows[0][0]
        return head

    def _windows(self, filter: Filter, head: int) -> Iterator[SequencedEvent]:
        end = head if filter.up_to is None else min(head, filter.up_to)
        bounded = filter.as_of(end)
        position = filter.sequence_number_higher_than or 0
        while position < end:
            batch = self.window(bounded, position)
            yield from batch.events
            if batch.position == position:
                return  # the numbers up to the end were drawn by transactions that were rolled back
            position = batch.position


def stream_of(rows: list[tuple[Any, ...]], filter: Filter, limit: int | None, backwards: bool) -> EventStream:
    """The answer to a query, from the rows of its statement."""
    head: int = rows[0][0]
    events = _events(rows)
    return EventStream(filter, events, head, reason_for_cut(filter, head, limit, backwards, len(events)))


def _events(rows: list[tuple[Any, ...]]) -> tuple[SequencedEvent, ...]:
    # The only row without an event is that of an outer join which found none.
    return tuple(_sequenced(row) for row in rows if row[1] is not None)


def _sequenced(row: tuple[Any, ...]) -> SequencedEvent:
    _, number, event_id, event_type, occurred_at, payload, metadata = row
    moment: datetime = occurred_at
    return SequencedEvent(number, event_id, event_type, moment.replace(tzinfo=UTC), payload.encode(), metadata.encode())
