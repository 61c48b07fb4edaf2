"""A connection that gives its server up when nothing comes from it any more.

TCP finds out that a host or the network is gone. It does not when the host lives and only the server does not answer: a
virtual machine that stands still, a process that was stopped, a disk that hangs. Then whoever waits, waits for ever.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait

T = TypeVar("T")


class SilenceBounded(psycopg.Connection[Any]):
    """Ends a statement with `OperationalError`, without an SQLSTATE, after so many seconds without a word.

    Words are anything that arrives: a long answer may take as long as it wants. What became of the statement nobody
    knows, and the connection is of no use any more; a pool throws it away.

    Attributes:
        longest_silence: seconds; longer than any statement may have to wait for a lock.
    """

    longest_silence = 30.0

    def wait(self, gen: PQGen[T], *arguments: Any, **options: Any) -> T:
        """Called by psycopg for everything that it waits for."""
        return super().wait(_while_it_speaks(gen, self.longest_silence), *arguments, **options)


def _while_it_speaks(gen: PQGen[T], seconds: float) -> Generator[Wait, Ready | int, T]:
    """The same generator, but that it raises if psycopg, which looks every tenth of a second, sees nothing for long."""
    try:
        wanted = next(gen)
        heard = time.monotonic()
        while True:
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > seconds:
                raise psycopg.OperationalError(f"the server did not say anything for {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as done:
        result: T = done.value
        return result


__all__ = ["SilenceBounded"]
