"""Engines with one mistake each in their appending: in the guard, in the ids, in what a conflict tells."""

from dataclasses import replace
from threading import Barrier, Condition
from typing import Any

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    ConflictingEvent,
    EventStream,
    Filter,
    StorableEvent,
)
from eventstore.testing.contract.races import WRITERS
from tests.eventstore.broken_reads import Broken
from tests.eventstore.examples import EVERYTHING


class AfterZeroIsNoCondition(Broken):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        return super().append(first, *more, condition=condition if condition and condition.after else None)


class AfterIsInclusive(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        super()._guard(condition)
        super()._guard(replace(condition, after=max(0, condition.after - 1)))


class AnyPositionIsKnown(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        super()._guard(replace(condition, after=min(condition.after, len(self._records))))


class BoundsNarrowTheGuard(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        newer = self._records[condition.after :]
        if any(condition.filter.matches_parsed(record.event, record.document) for record in newer):
            super()._guard(condition)


class TheGuardGivesUpEarly(Broken):
    """It looks through a thousand events and no further."""

    def _guard(self, condition: AppendCondition) -> None:
        records = self._records
        self._records = records[: condition.after + 1000]
        try:
            super()._guard(replace(condition, after=min(condition.after, len(records))))
        finally:
            self._records = records


class TheGuardIsWhatWasReadLast(Broken):
    last = EVERYTHING

    def query(self, filter: Filter, **options: Any) -> EventStream:
        self.last = filter
        return super().query(filter, **options)

    def _guard(self, condition: AppendCondition) -> None:
        super()._guard(replace(condition, filter=self.last))


class TheGuardIsWhatWasReadFirst(Broken):
    first: Filter | None = None

    def query(self, filter: Filter, **options: Any) -> EventStream:
        self.first = self.first or (None if filter.any_event else filter)
        return super().query(filter, **options)

    def _guard(self, condition: AppendCondition) -> None:
        super()._guard(replace(condition, filter=self.first or condition.filter))


class TheLastConflictIsTold(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        try:
            super()._guard(condition)
        except ConcurrencyConflict as conflict:
            newer = [record.event for record in self._records if self.means(condition.filter, record.event)]
            last = ConflictingEvent(newer[-1].sequence_number, newer[-1].event_type, newer[-1].event_id)
            raise ConcurrencyConflict(last, conflict.filter_item, conflict.after, conflict.head) from None


class TheFirstItemIsTold(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        try:
            super()._guard(condition)
        except ConcurrencyConflict as conflict:
            told = str(next(iter(condition.filter.items), "any event"))
            raise ConcurrencyConflict(conflict.event, told, conflict.after, conflict.head) from None


class TheHeadIsToldAsWhatWasRead(Broken):
    def _guard(self, condition: AppendCondition) -> None:
        try:
            super()._guard(condition)
        except ConcurrencyConflict as conflict:
            raise ConcurrencyConflict(conflict.event, conflict.filter_item, conflict.head, conflict.head) from None


class ARefusedAppendSucceedsWhenRepeated(Broken):
    """It reads again by itself and then appends what was decided before."""

    refused = AppendCondition(EVERYTHING, 0)

    def _guard(self, condition: AppendCondition) -> None:
        if condition != self.refused:
            self.refused = condition
            super()._guard(condition)


class TheGuardComesBeforeTheIds(Broken):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        if condition is not None:
            self._guard(condition)
        return super().append(first, *more)


class EveryAppendIsNew(Broken):
    def _already_stored(self, *_: object) -> list[int]:
        return []


class BatchesArePutDownOneByOne(Broken):
    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        numbers = super().append(first, condition=condition)
        for event in more:
            numbers += super().append(event)
        return numbers


class Unlocked(Condition):
    """A lock that lets everybody in."""

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        pass

    def notify_all(self) -> None:
        pass


class TheGuardIsNotUnderTheLock(Broken):
    """Every writer looks before any of them has written."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = Unlocked()
        self.all_have_looked = Barrier(WRITERS)

    def _guard(self, condition: AppendCondition) -> None:
        super()._guard(condition)
        self.all_have_looked.wait(timeout=60)
