"""Following a store in the background, until something has arrived."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from eventstore.events import SequencedEvent
from eventstore.filters import Filter
from eventstore.store import Batch, EventStore, Subscription
from eventstore.testing.contract.examples import EVERYTHING

LONGEST_WAIT: Final = 60.0
"""Seconds after which something that should have come is taken for lost."""


class Follower:
    """Follows a store in a thread of its own, and keeps what came. The end of the `with` block closes it.

    Attributes:
        batches: what came so far.
        subscription: what is iterated over.
        has_ended: whether the iteration is over, for whatever reason.
    """

    def __init__(self, store: EventStore, filter: Filter = EVERYTHING, after: int = 0) -> None:
        self.batches: list[Batch] = []
        self.has_ended = False
        self.subscription: Subscription = store.subscribe(filter, after)
        self._arrived = threading.Condition()
        thread = ThreadPoolExecutor(1)
        self._end = thread.submit(self._follow)
        thread.shutdown(wait=False)

    def _follow(self) -> None:
        try:
            for batch in self.subscription:
                with self._arrived:
                    self.batches.append(batch)
                    self._arrived.notify_all()
        finally:
            with self._arrived:
                self.has_ended = True
                self._arrived.notify_all()

    @property
    def events(self) -> list[SequencedEvent]:
        """All events that came, in the order in which they came."""
        return [event for batch in self.batches for event in batch]

    @property
    def numbers(self) -> list[int]:
        """The positions of these events."""
        return [event.sequence_number for event in self.events]

    @property
    def position(self) -> int:
        """How far the log was examined, by what the last batch says."""
        return self.batches[-1].position if self.batches else 0

    def reached(self, position: int) -> Self:
        """Wait until everything up to the position has been examined.

        Raises:
            AssertionError: it does not come, or the iteration ends before, without an error.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self.has_ended or self.position >= position, LONGEST_WAIT)
        if self.has_ended and self.position < position:
            self.ended()  # raises what it ended with
        assert self.position >= position, f"only {self.position} of {position} arrived, has ended: {self.has_ended}"
        return self

    def ended(self) -> Self:
        """Wait for the end of the iteration, and raise what it ended with."""
        self._end.result(LONGEST_WAIT)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.subscription.close()
        if kind is None:
            self.ended()
