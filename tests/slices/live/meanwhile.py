"""A store in which something happens between the reading of a batch and its arrival."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from eventstore import Batch, Filter, Subscription
from tests.wrapped_store import WrappedStore


@dataclass
class WatchedSubscription:
    """Something happens after a batch was read and before the reader gets it."""

    inner: Subscription
    happens: Callable[[Batch], None]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        batch = next(self.inner)
        self.happens(batch)
        return batch

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Meanwhile(WrappedStore):
    """A store with such subscriptions."""

    happens: Callable[[Batch], None]

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        return WatchedSubscription(super().subscribe(filter, after), self.happens)
