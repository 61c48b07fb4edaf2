"""The command line of the crashes."""

import argparse
import logging
import random
import sys
import time
from collections.abc import Callable

from eventstore.errors import EventStoreError
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError, throwaway_server
from eventstore.postgres.pool import borrowed
from eventstore.testing.crash import CrashReport, NothingProven, crash_under_load

_WEAKENED = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
_FEWEST_KILLS = 3
_TEXT = """\
{writers} writers, seed {seed}, {seconds:.0f} s: the server was killed {kills} times under load and restarted
{line}
appends acknowledged           {acknowledged:>10,}   ({events:,} events; {batches:,} batches)
conflicts                      {conflicts:>10,}
failed, known not to be stored {failures:>10,}
outcome unknown at first       {in_doubt:>10,}   (repeated until known)
   it was stored               {found_stored:>10,}
   it was not stored           {found_missing:>10,}
{line}
violations                     {violations:>10,}
"""


def main() -> None:
    """Run, print what came out, and exit with status 1 if a promise was broken or nothing was proven."""
    parser = argparse.ArgumentParser(prog="python -m eventstore.testing.crash", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=60, help="how long (default 60)")
    parser.add_argument("--writers", type=_positive, default=8, help="concurrent writers (default 8)")
    parser.add_argument("--seed", type=int, help="of the random choices; by default another one each time")
    parser.add_argument("--weakened", action="store_true", help="with synchronous_commit=off, which must be found out")
    arguments = parser.parse_args()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed  # noqa: S311  # no secret
    options = _WEAKENED if arguments.weakened else {}
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # connections break all the time: that is meant
    try:
        with throwaway_server(options=options) as server:
            report, seconds = _run(server, arguments.writers, seed, arguments.seconds)
    except (EventStoreError, EmbeddedServerError, NothingProven) as error:
        sys.exit(f"\nerror: {error}")
    _say(_described(report, arguments.writers, seed, seconds))
    sys.exit(0 if report.is_clean else 1)


def _run(server: EmbeddedServer, writers: int, seed: int, seconds: int) -> tuple[CrashReport, float]:
    with open_pool(server.dsn, max_size=writers + 1) as pool:
        store = PostgresEventStore(pool)
        store.create_schema()
        with borrowed(pool) as connection:
            connection.execute("CHECKPOINT")  # so that even a weakened server keeps the table
        began = time.monotonic()
        report = crash_under_load(server, store, go_on=_for(seconds), writers=writers, seed=seed)
        return report, time.monotonic() - began


def _for(seconds: int) -> Callable[[CrashReport], bool]:
    """So long, and at least three kills: one may meet nobody at an append."""
    began = time.monotonic()

    def go_on(report: CrashReport) -> bool:
        now = time.monotonic()
        if sys.stdout.isatty():
            sys.stdout.write(
                f"\r{now - began:3.0f} of {seconds} s, killed {report.kills} times,"
                f" {report.acknowledged:,} appends acknowledged, {report.in_doubt} were in doubt"
            )
            sys.stdout.flush()
        return now < began + seconds or report.kills < _FEWEST_KILLS

    return go_on


def _described(report: CrashReport, writers: int, seed: int, seconds: float) -> str:
    counts = {
        name: getattr(report, name)
        for name in (
            "kills", "acknowledged", "batches", "events", "conflicts", "failures",
            "in_doubt", "found_stored", "found_missing",
        )
    }  # fmt: skip
    text = _TEXT.format(
        **counts, writers=writers, seed=seed, seconds=seconds, violations=len(report.violations), line="─" * 60
    )
    return text + "".join(f"  {violation}\n" for violation in report.violations[:10])


def _say(text: str) -> None:
    sys.stdout.write(("\n" if sys.stdout.isatty() else "") + text)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
