"""Waiting for what is bound to happen soon: what never happens fails a test, with a sentence, and does not hang it."""

import threading
import time
from collections.abc import Callable
from typing import Final

LONGEST_WAIT: Final = 30.0
"""Seconds after which something that should have happened is taken for lost: a safety net, not a measurement."""


def eventually(is_true: Callable[[], bool], what: str) -> None:
    """Ask again and again until it is true."""
    pause = threading.Event()
    deadline = time.monotonic() + LONGEST_WAIT
    while not is_true():
        assert time.monotonic() < deadline, f"never true: {what}"
        pause.wait(0.005)


def ended(thread: threading.Thread, what: str) -> None:
    """Wait for the end of a thread. Make it a daemon, or the run waits for it all the same."""
    thread.join(LONGEST_WAIT)
    assert not thread.is_alive(), f"never ended: {what}"


def done(work: Callable[[], object], what: str) -> None:
    """Do what itself waits for others, without an end if they fail it."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ended(thread, what)
