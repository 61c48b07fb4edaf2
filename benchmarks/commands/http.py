"""`python -m benchmarks http`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.options import counts_option, events_option, repetitions_option, seconds_option
from benchmarks.commands.shared import carry_out, server_options, shown
from benchmarks.http_result import LendingOverHttp
from benchmarks.lending_over_http import CLIENTS, Plan, measure
from benchmarks.priming import progress_bars
from benchmarks.priming_result import print_priming
from benchmarks.served_app import database_name, library_database

EVENTS = 100_000


def run(
    console: Console, server: str, *, events: int = EVENTS, fresh: bool = False, plan: Plan | None = None
) -> LendingOverHttp:
    """Make the app's database unless it is there, serve the app, and measure."""
    chosen = plan or Plan()
    with progress_bars() as progress:
        database = library_database(server, events, progress=progress, fresh=fresh)
    console.print(f"The app serves the database {database_name(events)}.", highlight=False)
    print_priming(console, database.primed)
    with shown(console, chosen.steps) as on_step:
        return measure(database, chosen, on_step)


@click.command("http")
@events_option(EVENTS, "Length of the history in the app's log; each length has a database of its own, which is kept.")
@server_options
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Requests of a single client, in turns with the same command called directly.",
)
@counts_option("--clients", ",".join(map(str, CLIENTS)), "How many at once, each number in turn.")
@repetitions_option(3)
@seconds_option(2.0)
def command(
    *,
    events: int,
    dsn: str | None,
    fresh: bool,
    output: Path | None,
    rounds: int,
    clients: tuple[int, ...],
    repetitions: int,
    seconds: float,
) -> None:
    """The lend route of the app under its production server, by 1, 8 and 64 clients, beside the bare command."""
    plan = Plan(rounds, clients, repetitions, seconds)
    carry_out(lambda console, server: run(console, server, events=events, fresh=fresh, plan=plan), dsn, output)
