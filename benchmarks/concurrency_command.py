"""`python -m benchmarks concurrency`."""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.command_line import (
    counts_option,
    machine_behind,
    measuring,
    output_option,
    primed_store,
    repetitions_option,
    reported,
    seconds_option,
    store_options,
)
from benchmarks.concurrency import WRITERS, Plan, measure
from benchmarks.output import publish
from benchmarks.server import running_server


@click.command()
@store_options()
@counts_option("--writers", ",".join(map(str, WRITERS)), "How many at once, each number in turn.")
@repetitions_option(3)
@seconds_option(1.5)
@click.option(
    "--processes",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Spread writers with disjoint boundaries over so many processes, each with a store and a pool of its own.",
)
@output_option
def concurrency(
    *,
    events: int,
    dsn: str | None,
    fresh: bool,
    writers: tuple[int, ...],
    repetitions: int,
    seconds: float,
    processes: int,
    folder: Path | None,
) -> None:
    """Appends by 1 to 64 writers, on boundaries of their own and on the same few, beside unguarded INSERTs."""
    console = Console()
    plan = Plan(writers, repetitions, seconds, processes)
    with reported(), running_server(dsn) as server:
        primed = primed_store(console, server, events, fresh=fresh)
        machine = machine_behind(server)
        with measuring(console, plan.stretches) as on_stretch:
            result = measure(server, primed, plan, on_stretch)
        publish(console, result, machine, folder)
