"""How far a command is: a bar on a terminal, on the error stream, so that it is never part of what is written."""

import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

import click


@contextmanager
def progress(label: str, length: int) -> Generator[Callable[[int], None]]:
    """Show a bar; the function that is yielded is told how much of `length` has been reached.

    >>> with progress("Reading", 100) as reached:
    ...     reached(42)
    """
    step, before = max(1, length // 500), 0
    with click.progressbar(length=length, label=label, file=sys.stderr, update_min_steps=step) as bar:

        def reached(position: int) -> None:
            nonlocal before
            bar.update(position - before)
            before = position

        yield reached


@contextmanager
def ended_by_sigterm() -> Generator[None]:
    """Let SIGTERM end the block as Ctrl-C would, so that what was begun is put away; the exit code is 143."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def counted(number: int, one: str, many: str) -> str:
    """A number and what it counts.

    >>> counted(1, "event", "events"), counted(2000, "event", "events")
    ('1 event', '2,000 events')
    """
    return f"{number:,} {one if number == 1 else many}"
