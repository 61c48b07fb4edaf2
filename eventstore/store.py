"""What every event store of this package does, whatever it keeps its events in."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, Self

from eventstore.errors import EventIdReused, InvalidCondition, InvalidFilter, PositionUnknown
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import HIGHEST_POSITION, Filter, check_position


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


class Consistency(Enum):
    """How fresh a query must be."""

    STRONG = "strong"
    """Everything that was committed before the query began."""

    EVENTUAL = "eventual"
    """A consistent past of the store, perhaps a little old: a replica may answer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What a subscription delivers at a time.

    Attributes:
        events: the matching events, in sequence order; none if nothing matched.
        position: everything up to here has been examined. Whoever keeps it and subscribes again after it misses
            nothing and gets nothing twice.
    """

    events: tuple[SequencedEvent, ...]
    position: int

    def __iter__(self) -> Iterator[SequencedEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)


class Subscription(Protocol):
    """An endless iterator over what happens. Leave its `with` block, or call `close` from any thread, to end it.

    Any error ends it as well; subscribe again after the last position that was dealt with.
    """

    def __iter__(self) -> Self: ...

    def __next__(self) -> Batch:
        """Wait for the next batch. Raises StopIteration once the subscription is closed.

        While the store cannot be reached it waits too, and goes on by itself (it logs a warning). If threads share a
        subscription, each batch goes to one of them.

        Raises:
            PositionUnknown: the position lies beyond the head of this store: it is another store's, or the store was
                restored from an older backup. Going on would skip the events up to there.
            SchemaMissing: the events table does not exist.
            StoreUnavailable: only if waiting cannot help: the pool is closed, or the right to read is missing.
        """
        ...

    def close(self) -> None:
        """End the iteration, also of a thread that waits in it. Calling it again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class EventStore(Protocol):
    """The port that engines implement and slices depend on."""

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """Read a dynamic event stream.

        Args:
            filter: which events.
            limit: at most so many, from 1 on.
            backwards: newest first; with `limit`, the newest ones.
            consistency: EVENTUAL lets a replica answer, if the store has one.
            at_least: a position that the answer must have reached, such as that of one's own last append.

        Raises:
            InvalidFilter: for a limit below 1, or an `at_least` that is no position.
            PositionUnknown: `at_least` lies beyond the head of this store.
            StoreUnavailable, SchemaMissing: see there.
        """
        ...

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """Read a stream of any length in bounded memory, up to what the head of the store is now, in sequence order.

        Walks the log from the first to the last position within the filter's bounds: made for replaying. A selective
        filter is answered quicker by `query`.

        Raises:
            StoreUnavailable, SchemaMissing: see there; also in the middle of the iteration.
        """
        ...

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """Follow a stream: first what is stored after a position, then what is appended, as it happens.

        Nothing is missed and nothing comes twice, since sequence order is commit order.

        Args:
            filter: which events; it may have any bound but `up_to`.
            after: the position of the last batch that was dealt with; 0 begins at the beginning.

        Raises:
            InvalidFilter: the filter ends at a position, or `after` is no position.
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


def check_at_least(at_least: int | None) -> None:
    """Refuse what cannot be a position."""
    if at_least is not None:
        check_position("at_least", at_least)


def check_reached(at_least: int | None, head: int) -> None:
    """Refuse a position that this store has never had."""
    if at_least is not None and at_least > head:
        raise PositionUnknown(at_least, head)


def check_subscription(filter: Filter, after: int) -> int:
    """The position at which a subscription begins: of its two lower bounds the higher one. It can have no upper one."""
    check_position("after", after)
    if filter.up_to is not None:
        raise InvalidFilter(f"a subscription does not end, but the filter ends at position {filter.up_to}")
    return max(after, filter.sequence_number_higher_than or 0)


def check_ids_differ(events: tuple[StorableEvent, ...]) -> None:
    """Refuse a batch that holds one event id twice."""
    if len({event.event_id for event in events}) < len(events):
        raise EventIdReused("an event id occurs twice in one batch")
