"""The end of the app, which begins before anything stops: whoever asks whether it is ready is told that it will end."""

import mmap
from collections.abc import Callable
from contextlib import ExitStack


class Ending:
    """Known to the master, which is told to end, and to the workers that it forks.

    >>> ending = Ending()
    >>> ending.is_near
    False
    """

    def __init__(self) -> None:
        self._of_all = mmap.mmap(-1, 1)  # shared with what is forked later
        self._of_this_process = False
        self._at_once = ExitStack()

    @property
    def is_near(self) -> bool:
        """Whether this process was told to end, or the master was, which will tell it."""
        return self._of_this_process or self._of_all[0] == 1

    def announce(self) -> None:
        """Called by the master: it will end, and all workers with it."""
        self._of_all[0] = 1

    def callback(self, close: Callable[[], object]) -> None:
        """What to end as soon as this process ends, while requests still run: answers without end, for instance."""
        self._at_once.callback(close)

    def begin(self) -> None:
        """Called in the process that ends. Safe from any thread, and again."""
        self._of_this_process = True
        self._at_once.close()
