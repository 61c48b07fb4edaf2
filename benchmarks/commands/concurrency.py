"""`python -m benchmarks concurrency`"""

from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.options import counts_option, repetitions_option, seconds_option
from benchmarks.commands.shared import carry_out, primed_store, shown, store_options
from benchmarks.concurrency import WRITERS, Plan, measure
from benchmarks.concurrency_result import Concurrency
from benchmarks.twin import copies_of


def run(
    console: Console, server: str, *, events: int = 1_000_000, fresh: bool = False, plan: Plan | None = None
) -> Concurrency:
    """Prime a store unless it is there, and measure."""
    chosen = plan or Plan()
    primed = primed_store(console, server, events, fresh=fresh)
    with ExitStack() as opened:
        with console.status("Copying the store, once with and once without guard"):
            copies = opened.enter_context(copies_of(server, primed.table))
        with shown(console, chosen.stretches) as on_stretch:
            return measure(server, primed, copies, chosen, on_stretch)


@click.command("concurrency")
@store_options
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
def command(
    *,
    events: int,
    dsn: str | None,
    fresh: bool,
    output: Path | None,
    writers: tuple[int, ...],
    repetitions: int,
    seconds: float,
    processes: int,
) -> None:
    """Appends by 1 to 64 writers, on boundaries of their own and on the same few, beside unguarded INSERTs."""
    plan = Plan(writers, repetitions, seconds, processes)
    carry_out(lambda console, server: run(console, server, events=events, fresh=fresh, plan=plan), dsn, output)
