"""The command line of the races."""

import argparse
import random
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from eventstore.memory import InMemoryEventStore
from eventstore.testing.arena import arena
from eventstore.testing.command_line import say, server, show
from eventstore.testing.port import RaceStore
from eventstore.testing.race import Progress, RaceReport, free_race, race_for_prizes
from eventstore.testing.twins import CONTENDERS, OURS

_MEMORY = "memory"
_LOST_GUARDS_SHOWN = 5


def main() -> None:
    """Run both races, print what came out, and exit with status 1 if any guard was lost."""
    names = (_MEMORY, *CONTENDERS)
    parser = argparse.ArgumentParser(
        prog="python -m eventstore.testing.race",
        description="Let many writers race for few prizes, and replay the log.",
        epilog=f"NAME is one of: {', '.join(names)}",
    )
    parser.add_argument("--rounds", type=_at_least(1), default=1000, help="prizes to race for (default 1000)")
    parser.add_argument("--writers", type=_at_least(2), default=8, help="concurrent writers (default 8)")
    parser.add_argument("--seed", type=int, help="of the random choices; by default another one each time")
    parser.add_argument("--store", choices=names, default=OURS, metavar="NAME", help=f"which store (default {OURS})")
    parser.add_argument("--dsn", help="a PostgreSQL server to use; by default a throw-away embedded one")
    arguments = parser.parse_args()
    seed = random.randrange(1_000_000) if arguments.seed is None else arguments.seed  # noqa: S311  # no secret
    sys.exit(0 if _run(arguments.store, arguments.dsn, arguments.rounds, arguments.writers, seed) else 1)


def _run(name: str, dsn: str | None, rounds: int, writers: int, seed: int) -> bool:
    idea = "a list and a lock" if name == _MEMORY else CONTENDERS[name].idea
    say(f"{name}: {idea}; {writers} writers, seed {seed}")
    with _maker_of_empty_stores(name, dsn, writers) as empty_store:
        with empty_store() as stores:
            prizes = _timed(
                f"{rounds:,} prizes, each claimed by all at the same moment",
                rounds,
                lambda progress: race_for_prizes(*stores, writers=writers, rounds=rounds, progress=progress),
            )
        with empty_store() as stores:
            free = _timed(
                f"{rounds:,} decisions of each, in a free loop",
                rounds,
                lambda progress: free_race(*stores, writers=writers, rounds=rounds, seed=seed, progress=progress),
            )
    return prizes.is_clean and free.is_clean


def _timed(title: str, rounds: int, race: Callable[[Progress], RaceReport]) -> RaceReport:
    began = time.monotonic()

    def progress(done: int) -> None:
        show(f"    {title}: {done:,} of {rounds:,} done, {time.monotonic() - began:,.0f} s")

    report = race(progress)
    mark = "✓" if report.is_clean else "✗"
    say(f"  {mark} {title}: {report.verdict}")
    say(f"    {report.accepted:,} accepted, {report.conflicts:,} refused, {time.monotonic() - began:,.1f} s")
    for lost in report.lost_guards[:_LOST_GUARDS_SHOWN]:
        say(f"    {lost}")
    return report


@contextmanager
def _maker_of_empty_stores(
    name: str, dsn: str | None, writers: int
) -> Generator[Callable[[], AbstractContextManager[Sequence[RaceStore]]]]:
    if name == _MEMORY:
        yield lambda: nullcontext([InMemoryEventStore()])
        return
    with server(dsn) as reached:
        yield lambda: _in_arena(name, reached, writers)


@contextmanager
def _in_arena(name: str, dsn: str, writers: int) -> Generator[Sequence[RaceStore]]:
    """Four writers share a store, as the threads of a process do; the others have stores of their own."""
    with arena(CONTENDERS[name].subject, dsn) as place, ExitStack() as opened:
        yield [opened.enter_context(place.open("writers", 4)) for _ in range(max(2, (writers + 3) // 4))]


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} on, not {text!r}")
        return int(text)

    return number
