"""Reading the log in a thread that somebody else may ask to end."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from eventstore import EventStore, Filter, Subscription


class Reading:
    """Subscriptions to a store, one after the other, and pauses, which all end when `close` is called."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._closed = threading.Event()
        self._changed = threading.Lock()
        self._subscription: Subscription | None = None

    @property
    def is_closed(self) -> bool:
        """Whether to stop."""
        return self._closed.is_set()

    @contextmanager
    def after(self, filter: Filter, position: int) -> Generator[Subscription]:
        """Subscribe until the end of the block."""
        with self.store.subscribe(filter, after=position) as subscription:
            with self._changed:
                self._subscription = subscription
            if self.is_closed:  # asked for before `close` could know of this subscription
                subscription.close()
            yield subscription

    def pause(self, seconds: float) -> None:
        """Wait, or return at once when closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """End what is being read or waited for, and all that would be. Safe from any thread."""
        self._closed.set()
        with self._changed:
            subscription = self._subscription
        if subscription is not None:
            subscription.close()
