"""`python -m benchmarks replay`"""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks.commands.shared import carry_out, primed_store, store_options
from benchmarks.replay import measure
from benchmarks.replay_process import WAYS
from benchmarks.replay_result import ReplayResult


def run(
    console: Console, server: str, *, events: int = 1_000_000, fresh: bool = False, repetitions: int = 3
) -> ReplayResult:
    """Prime a store unless it is there, and replay it."""
    primed = primed_store(console, server, events, fresh=fresh)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Replaying", total=primed.size_now * repetitions * len(WAYS))
        return measure(server, primed, repetitions, lambda count: progress.advance(task, count))


@click.command("replay")
@store_options
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often the whole store is replayed each way.",
)
def command(*, events: int, dsn: str | None, fresh: bool, repetitions: int, output: Path | None) -> None:
    """Read all events through the store, and by a plain cursor: events per second, and memory."""

    def chosen(console: Console, server: str) -> ReplayResult:
        return run(console, server, events=events, fresh=fresh, repetitions=repetitions)

    carry_out(chosen, dsn, output)
