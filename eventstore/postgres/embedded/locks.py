"""Locks that end with their holder, by whatever death.

A lock belongs to an open file: processes that inherit the file share it, and it is free when the last of them is gone.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def open_own(path: Path, flags: int) -> int:
    """Open one of our files, made if missing; never through a link that somebody else may have put there."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def lock(path: Path) -> int | None:
    """An open file that holds the lock of `path`, or None if another open file has it."""
    descriptor = open_own(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def unlock(descriptor: int) -> None:
    """Free the lock, also from the hands of forked children that inherited the open file."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def within(seconds: float, attempt: Callable[[], T | None]) -> T | None:
    """What `attempt` returns as soon as that is not None; None if it is not so within `seconds`."""
    deadline = time.monotonic() + seconds
    while (result := attempt()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return result
