"""`python -m benchmarks peers`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.options import events_option
from benchmarks.commands.shared import carry_out, primed_store, server_options
from benchmarks.peers import Peers, measure
from benchmarks.priming import progress_bars
from benchmarks.sampling import OnRound

EVENTS = 100_000


def run(console: Console, server: str, *, events: int = EVENTS, fresh: bool = False, rounds: int = 500) -> Peers:
    """Prime our store unless it is there, fill the peer with the same events, and measure."""
    primed = primed_store(console, server, events, fresh=fresh)
    with progress_bars() as progress:

        def on_phase(name: str, steps: int) -> OnRound:
            task = progress.add_task(name, total=steps)
            return lambda: progress.advance(task)

        return measure(server, primed, rounds, on_phase)


@click.command("peers")
@events_option(EVENTS, "Length of the history in both stores.")
@server_options
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="How often each thing is measured, in turns with all others.",
)
def command(*, events: int, dsn: str | None, fresh: bool, output: Path | None, rounds: int) -> None:
    """Our store beside the PostgreSQL recorder of the package `eventsourcing`: same events, same decisions."""
    carry_out(lambda console, server: run(console, server, events=events, fresh=fresh, rounds=rounds), dsn, output)
