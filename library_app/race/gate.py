"""One race at a time per process, and not one after the other without a pause: a race is work for the database."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

PAUSE: Final = timedelta(seconds=2)
"""From the start of a race to the start of the next."""


class GateClosed(Exception):
    """No race can start at this moment. The message says why."""


class Gate:
    """Lets one race in at a time.

    >>> gate = Gate(clock)
    >>> with gate.passed():
    ...     result = lab.run(RaceKind.ONE_COPY, 20, guarded=True)

    Args:
        clock: the current time.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._taken = threading.Lock()
        self._last: datetime | None = None

    @contextmanager
    def passed(self) -> Generator[None]:
        """Keep others out until the end of the block.

        Raises:
            GateClosed: somebody races, or began to a moment ago.
        """
        if not self._taken.acquire(blocking=False):
            raise GateClosed("Somebody races at the moment. Try again when they have arrived.")
        try:
            now = self._clock()
            if self._last is not None and abs(now - self._last) < PAUSE:
                raise GateClosed("A race began a moment ago. Give the database two seconds, then race again.")
            self._last = now
            yield
        finally:
            self._taken.release()
