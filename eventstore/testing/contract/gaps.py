"""An engine whose positions have gaps, seen by the number of events: 1, 2, 3, as the tests count them."""

from bisect import bisect_right
from dataclasses import replace
from typing import Final

from eventstore.errors import ConcurrencyConflict, PositionUnknown
from eventstore.events import StorableEvent
from eventstore.filters import HIGHEST_POSITION, Filter
from eventstore.store import AppendCondition, EventStream
from eventstore.testing.contract.base import Engine
from eventstore.testing.contract.examples import EVERYTHING


class WithoutGaps:
    """Position n of this store is the n-th event of the store behind it.

    The DCB specification lets positions have gaps. The contract keeps its plain numbers all the same: this translates
    them on the way in (bounds, `after`) and on the way out (events, streams, numbers, conflicts).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._positions: list[int] = []

    def query(self, filter: Filter, *, limit: int | None = None, backwards: bool = False) -> EventStream:
        """See `EventStore.query`."""
        found = self._engine.query(self._outward(filter), limit=limit, backwards=backwards)
        self._catch_up()
        return replace(
            found,
            filter=filter,
            events=tuple(replace(event, sequence_number=self._count(event.sequence_number)) for event in found),
            position=self._count(found.position),
        )

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        translated = condition
        if condition is not None:
            translated = AppendCondition(self._outward(condition.filter), self._position(condition.after))
        try:
            numbers = self._engine.append(first, *more, condition=translated)
        except PositionUnknown as error:
            raise PositionUnknown(self._count(error.after), self._count(error.head)) from error
        except ConcurrencyConflict as error:
            event = replace(error.event, sequence_number=self._count(error.event.sequence_number))
            after, head = self._count(error.after), self._count(error.head)
            raise ConcurrencyConflict(event, error.filter_item, after, head) from error
        self._catch_up()
        return [self._count(number) for number in numbers]

    def _outward(self, filter: Filter) -> Filter:
        self._catch_up()
        after, up_to = filter.sequence_number_higher_than, filter.up_to
        return replace(
            filter,
            sequence_number_higher_than=None if after is None else self._position(after),
            up_to=None if up_to is None else self._position(up_to),
        )

    def _catch_up(self) -> None:
        known = self._positions[-1] if self._positions else 0
        newer = self._engine.query(EVERYTHING.after_sequence_number(known))
        self._positions += [event.sequence_number for event in newer]

    def _position(self, count: int) -> int:
        if count == 0:
            return 0
        if count <= len(self._positions):
            return self._positions[count - 1]
        head = self._positions[-1] if self._positions else 0
        return min(head + count - len(self._positions), HIGHEST_POSITION)

    def _count(self, position: int) -> int:
        """How many events lie up to a position; beyond the head the distance is kept."""
        if position == HIGHEST_POSITION:
            return position
        head = self._positions[-1] if self._positions else 0
        return bisect_right(self._positions, position) + max(0, position - head)
