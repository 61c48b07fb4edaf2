"""What every event store of this package does, whatever it keeps its events in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from eventstore.errors import EventIdReused, InvalidCondition, InvalidFilter
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import HIGHEST_POSITION, Filter


@dataclass(frozen=True, slots=True)
class AppendCondition:
    """ "Append only if nothing that matches `filter` was committed after position `after`."

    The name and the meaning are the DCB specification's (https://dcb.events/specification/). Usually taken from
    `EventStream.append_condition`, so that the guard is the very filter of the query.

    Attributes:
        filter: whose items are guarded. Its bounds of time and position do not count here.
        after: the head of the store at the query; 0 means "nothing may match at all".

    Raises:
        InvalidCondition: if `after` is no position.
    """

    filter: Filter
    after: int

    def __post_init__(self) -> None:
        if not isinstance(self.filter, Filter):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidCondition(f"a condition needs a Filter, not {self.filter!r}")
        is_number = isinstance(self.after, int) and not isinstance(self.after, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not is_number or not 0 <= self.after <= HIGHEST_POSITION:
            raise InvalidCondition(f"after must be a position (a whole number from 0 on), not {self.after!r}")


@dataclass(frozen=True, slots=True)
class EventStream:
    """The answer to a query: the matching events and the head of the store, both from one snapshot.

    Attributes:
        filter: what was asked.
        events: what was found, in sequence order (newest first if read backwards).
        position: the highest sequence number in the whole store at that moment, 0 if it was empty.
        cut_off: why newer matching events may be missing; empty if none are.
    """

    filter: Filter
    events: tuple[SequencedEvent, ...]
    position: int
    cut_off: str = ""

    def __iter__(self) -> Iterator[SequencedEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def max_sequence_number(self) -> int:
        """The highest sequence number among the events returned, 0 if there are none."""
        return max((event.sequence_number for event in self.events), default=0)

    @property
    def append_condition(self) -> AppendCondition:
        """The guard for a decision that was based on this stream: same filter, and the position read up to.

        Raises:
            InvalidCondition: if the read may have missed newer events because of `limit` or `up_to`: a decision
                based on it would be guarded only against what came after events that nobody looked at.
        """
        if self.cut_off:
            raise InvalidCondition(f"no append condition: {self.cut_off}, so newer matching events may be missing")
        return AppendCondition(self.filter, self.position)


class EventStore(Protocol):
    """The port that engines implement and slices depend on."""

    def query(self, filter: Filter, *, limit: int | None = None, backwards: bool = False) -> EventStream:
        """Read a dynamic event stream.

        Args:
            filter: which events.
            limit: at most so many, from 1 on.
            backwards: newest first; with `limit`, the newest ones.

        Raises:
            InvalidFilter: for a limit below 1.
            StoreUnavailable, SchemaMissing: see there.
        """
        ...

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """Append events, all or none, in the given order, and return their sequence numbers.

        Appending events that are stored already (same ids, same content) writes nothing and returns the numbers
        they have.

        Args:
            first, more: the batch.
            condition: what must not have happened since the query. None appends in any case.

        Raises:
            ConcurrencyConflict: the condition does not hold any more; query again and decide anew.
            EventIdReused: an event id stands for something else already, or occurs twice in the batch.
            InvalidEvent: the store refuses the content.
            PositionUnknown: the condition's position is not of this store.
            StoreUnavailable: see its `outcome_unknown`.
            SchemaMissing: the events table does not exist.
        """
        ...


def reason_for_cut(filter: Filter, head: int, limit: int | None, backwards: bool, returned: int) -> str:
    """Say why a read may lack newer events, or return an empty string."""
    if filter.up_to is not None and filter.up_to < head:
        return f"the read ended at position {filter.up_to}"
    if limit is not None and not backwards and returned == limit:
        return f"the read was limited to {limit} events"
    return ""


def check_limit(limit: int | None) -> None:
    """Refuse a limit that would return nothing, which is never what a caller means."""
    is_number = isinstance(limit, int) and not isinstance(limit, bool)
    if limit is not None and not (is_number and 1 <= limit <= HIGHEST_POSITION):
        raise InvalidFilter(f"limit must be a whole number from 1 on, not {limit!r}")


def check_ids_differ(events: tuple[StorableEvent, ...]) -> None:
    """Refuse a batch that holds one event id twice."""
    if len({event.event_id for event in events}) < len(events):
        raise EventIdReused("an event id occurs twice in one batch")
