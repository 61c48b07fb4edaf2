"""An engine whose positions have gaps, seen by the number of events: 1, 2, 3, as the tests count them."""

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Final, Self

from eventstore.errors import ConcurrencyConflict, PositionUnknown
from eventstore.events import SequencedEvent, StorableEvent
from eventstore.filters import HIGHEST_POSITION, Filter
from eventstore.store import AppendCondition, Batch, Consistency, EventStore, EventStream, Subscription
from eventstore.testing.contract.examples import EVERYTHING


class WithoutGaps:
    """Position n of this store is the n-th event of the store behind it.

    The DCB specification lets positions have gaps. The contract keeps its plain numbers all the same: this translates
    them on the way in (bounds, `after`) and on the way out (events, streams, batches, numbers, conflicts).
    """

    def __init__(self, engine: EventStore) -> None:
        self._engine: Final = engine
        self._positions: list[int] = []
        self._lock: Final = Lock()

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`."""
        asked, at_least = self._outward(filter), self._outward_bound(at_least)
        with self._counted_errors():
            found = self._engine.query(
                asked, limit=limit, backwards=backwards, consistency=consistency, at_least=at_least
            )
        self._catch_up()
        return replace(
            found,
            filter=filter,
            events=tuple(map(self._counted, found)),
            position=self._count(found.position),
        )

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        events = self._engine.stream(self._outward(filter))
        self._catch_up()  # with all that the stream can hold: it ends at the present head
        return map(self._counted, events)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return _Counted(self, self._engine.subscribe(self._outward(filter), self._outward_position(after)))

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        if condition is not None:
            condition = AppendCondition(self._outward(condition.filter), self._position(condition.after))
        with self._counted_errors():
            numbers = self._engine.append(first, *more, condition=condition)
        self._catch_up()
        return [self._count(number) for number in numbers]

    def counted(self, wait: Callable[[], Batch]) -> Batch:
        """The next batch of a subscription, by the number of events."""
        with self._counted_errors():
            batch = wait()
        self._catch_up()
        return Batch(tuple(map(self._counted, batch)), self._count(batch.position))

    @contextmanager
    def _counted_errors(self) -> Generator[None]:
        try:
            yield
        except PositionUnknown as error:
            raise PositionUnknown(self._count(error.after), self._count(error.head)) from error
        except ConcurrencyConflict as error:
            event = replace(error.event, sequence_number=self._count(error.event.sequence_number))
            after, head = self._count(error.after), self._count(error.head)
            raise ConcurrencyConflict(event, error.filter_item, after, head) from error

    def _outward(self, filter: Filter) -> Filter:
        self._catch_up()
        return replace(
            filter,
            sequence_number_higher_than=self._outward_bound(filter.sequence_number_higher_than),
            up_to=self._outward_bound(filter.up_to),
        )

    def _outward_bound(self, count: int | None) -> int | None:
        return None if count is None else self._outward_position(count)

    def _outward_position(self, count: int) -> int:
        if type(count) is not int or count > HIGHEST_POSITION:
            return count  # something for the engine to refuse
        return self._position(count)

    def _counted(self, event: SequencedEvent) -> SequencedEvent:
        return replace(event, sequence_number=self._count(event.sequence_number))

    @property
    def _head(self) -> int:
        return self._positions[-1] if self._positions else 0

    def _catch_up(self) -> None:
        with self._lock:  # else two threads would count the same events
            newer = self._engine.query(EVERYTHING.after_sequence_number(self._head))
            self._positions += [event.sequence_number for event in newer]

    def _position(self, count: int) -> int:
        if count <= 0:
            return count
        if count <= len(self._positions):
            return self._positions[count - 1]
        return min(self._head + count - len(self._positions), HIGHEST_POSITION)

    def _count(self, position: int) -> int:
        """How many events lie up to a position; beyond the head the distance is kept."""
        if position == HIGHEST_POSITION:
            return position
        return bisect_right(self._positions, position) + max(0, position - self._head)


class _Counted:
    def __init__(self, store: WithoutGaps, subscription: Subscription) -> None:
        self._store = store
        self._subscription = subscription

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        return self._store.counted(self._subscription.__next__)

    def close(self) -> None:
        self._subscription.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
