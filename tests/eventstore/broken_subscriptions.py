"""Engines with one mistake each in what their subscriptions deliver."""

from collections.abc import Generator
from typing import Self

from eventstore import Batch, Filter, Subscription
from tests.eventstore.broken_reads import Broken
from tests.eventstore.examples import EVERYTHING


class Altered:
    """A subscription that delivers what a generator makes of a correct one."""

    def __init__(self, correct: Subscription, batches: Generator[Batch]) -> None:
        self._correct = correct
        self._batches = batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        return next(self._batches)

    def close(self) -> None:
        self._correct.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class BrokenSubscriptions(Broken):
    """Leaves the subscription as it is, and its batches to be altered."""

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        correct = super().subscribe(filter, after)
        return Altered(correct, self.altered(correct))

    def altered(self, correct: Subscription) -> Generator[Batch]:
        yield from correct


class EachBatchComesTwice(BrokenSubscriptions):
    def altered(self, correct: Subscription) -> Generator[Batch]:
        for batch in correct:
            yield batch
            yield batch


class ABatchIsCutAndItsPositionIsNot(BrokenSubscriptions):
    def altered(self, correct: Subscription) -> Generator[Batch]:
        for batch in correct:
            yield Batch(batch.events[:1], batch.position)


class ASubscriptionEndsWithWhatIsStored(BrokenSubscriptions):
    def altered(self, correct: Subscription) -> Generator[Batch]:
        yield next(correct)
        correct.close()


class WhatIsStoredIsSkipped(BrokenSubscriptions):
    def altered(self, correct: Subscription) -> Generator[Batch]:
        yield Batch((), next(correct).position)
        yield from correct


class TheLastPositionComesAgain(Broken):
    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        correct = super().subscribe(filter, after)
        return super().subscribe(filter, after - 1) if after else correct


class ASubscriptionDeliversEverything(Broken):
    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        super().subscribe(filter, after)
        return super().subscribe(EVERYTHING, after)


class ClosingOneClosesAll(BrokenSubscriptions):
    def __init__(self) -> None:
        super().__init__()
        self._all: list[Subscription] = []

    def altered(self, correct: Subscription) -> Generator[Batch]:
        self._all.append(correct)
        return self._until_closed(correct)

    def _until_closed(self, correct: Subscription) -> Generator[Batch]:
        yield from correct
        for subscription in self._all:
            subscription.close()
