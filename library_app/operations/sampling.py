"""Looks now and then at what nobody counts as it happens."""

import threading
from collections.abc import Callable
from typing import Final, Self

EVERY: Final = 5.0
"""Seconds between two looks; Prometheus asks every fifteen to sixty."""


class Sampling:
    """A thread of its own until the end of the `with` block.

    Args:
        look: is called at once, and again after each pause.
        every: seconds.
    """

    def __init__(self, look: Callable[[], None], every: float = EVERY) -> None:
        self._look = look
        self._every = every
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look_again_and_again, name="metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join(self._every)  # a server that has fallen silent does not keep the process

    def _look_again_and_again(self) -> None:
        while not self._closed.is_set():
            self._look()
            self._closed.wait(self._every)
