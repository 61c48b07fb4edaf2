"""The command line of the races."""

import argparse
import sys
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager

from eventstore.errors import EventStoreError
from eventstore.memory import InMemoryEventStore
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServerError, throwaway_server
from eventstore.testing.race import Contested, free_race, race_for_prizes
from eventstore.testing.seed_store import SeedEventStore

_STORES = ("postgres", "memory", "seed")


def main() -> None:
    """Run both races, print what came out, and exit with status 1 if any guard was lost."""
    parser = argparse.ArgumentParser(prog="python -m eventstore.testing.race", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=1000, help="prizes to race for (default 1000)")
    parser.add_argument("--writers", type=_positive, default=8, help="concurrent writers (default 8)")
    parser.add_argument("--store", choices=_STORES, default="postgres", help="which store (default postgres)")
    parser.add_argument("--dsn", help="a PostgreSQL server to use; by default a throw-away embedded one")
    arguments = parser.parse_args()
    try:
        clean = _run(arguments.store, arguments.dsn, arguments.rounds, arguments.writers)
    except (EventStoreError, EmbeddedServerError) as error:
        sys.exit(f"error: {error}")
    sys.exit(0 if clean else 1)


def _run(kind: str, dsn: str | None, rounds: int, writers: int) -> bool:
    with _empty_stores(kind, dsn, writers) as (first, second):
        prizes = race_for_prizes(first, writers=writers, rounds=rounds, progress=_show_progress(rounds))
        _say(f"\r{writers} writers for each prize, {prizes}")
        free = free_race(second, writers=writers, rounds=rounds)
        _say(f"{writers} writers in a free loop, {free}")
    for lost in [*prizes.lost_guards, *free.lost_guards][:5]:
        _say(f"  {lost}")
    return prizes.is_clean and free.is_clean


@contextmanager
def _empty_stores(kind: str, dsn: str | None, writers: int) -> Generator[tuple[Contested, Contested]]:
    if kind == "memory":
        yield InMemoryEventStore(), InMemoryEventStore()
        return
    if dsn is None:
        with throwaway_server() as server, _empty_stores(kind, server.dsn, writers) as stores:
            yield stores
        return
    with open_pool(dsn, max_size=writers) as pool:
        run = uuid.uuid4().hex[:8]
        engine = SeedEventStore if kind == "seed" else PostgresEventStore
        stores = engine(pool, f"race_{run}_prizes"), engine(pool, f"race_{run}_free")
        for store in stores:
            store.create_schema()
        yield stores


def _show_progress(rounds: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        if sys.stdout.isatty() and (done % 20 == 0 or done == rounds):
            sys.stdout.write(f"\r{done} of {rounds} prizes")
            sys.stdout.flush()

    return show


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
