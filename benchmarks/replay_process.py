"""Replays a store in a process of its own, which has nothing else in its memory, and tells how far it is.

Not to be called by hand: `python -m benchmarks replay` starts it, and writes what to do to its standard input. It is no
thread or fork of the benchmark, whose own libraries take more memory than a replay.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.floors import COLUMNS, for_table
from eventstore import FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool, open_pool
from eventstore.postgres.reading import WINDOW
from eventstore.postgres.schema import TableName

STEP: Final = 10_000
"""A sign of life comes after so many events."""


def stream(pool: Pool, table: str) -> Iterator[object]:
    """Every event through the store."""
    return PostgresEventStore(pool, table).stream(FilterBuilder().matching_any_event())


def cursor(pool: Pool, table: str) -> Iterator[object]:
    """The floor: the same rows as plain tuples, by a cursor of the server, in one transaction."""
    statement = for_table(COLUMNS + "ORDER BY sequence_number", TableName.parse(table))
    with (
        pool.connection() as connection,
        connection.transaction(),
        connection.cursor("replay", binary=True) as rows,
    ):
        rows.itersize = WINDOW
        yield from rows.execute(statement)


WAYS: Final[dict[str, Callable[[Pool, str], Iterator[object]]]] = {"stream": stream, "cursor": cursor}


def replay(way: str, dsn: str, table: str) -> dict[str, float]:
    """Read everything in one way; the clock starts when the connection is there.

    Returns:
        The number of events, the seconds, and the megabytes of the process before and at most.
    """
    with open_pool(dsn, max_size=1) as pool:
        before = peak_memory()
        began = time.perf_counter()
        count = 0
        for _ in WAYS[way](pool, table):
            count += 1
            if count % STEP == 0:
                print(count, flush=True)
        seconds = time.perf_counter() - began
    return {"events": count, "seconds": seconds, "megabytes_before": before, "megabytes": peak_memory()}


def peak_memory() -> float:
    """The most memory that this process ever had, in millions of bytes.

    The resident set, so that interpreter, driver and libpq count too: tracemalloc would miss what C libraries take, and
    slow down what is measured. Linux says in getrusage what the process that started this one had, if that was more.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest / 1e6 if sys.platform == "darwin" else largest * 1024 / 1e6
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kilobytes) * 1024 / 1e6


if __name__ == "__main__":
    try:
        print(json.dumps(replay(**json.load(sys.stdin))))
    except KeyboardInterrupt:
        sys.exit(130)
