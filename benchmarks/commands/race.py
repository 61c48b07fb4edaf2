"""`python -m benchmarks race`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.options import arena_options, counts_option, repetitions_option
from benchmarks.commands.shared import carry_out, shown
from benchmarks.race import WRITERS, Plan, RaceResult, measure


def run(console: Console, server: str, *, plan: Plan | None = None) -> RaceResult:
    """Race on stores that are empty at first and are dropped afterwards."""
    chosen = plan or Plan()
    with shown(console, chosen.races) as on_race:
        return measure(server, chosen, on_race)


@click.command("race")
@arena_options
@counts_option("--writers", ",".join(map(str, WRITERS)), "How many at once, each number in turn.", least=2)
@repetitions_option(5)
@click.option(
    "--decisions",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="Of all writers of one race together.",
)
def command(
    *,
    dsn: str | None,
    output: Path | None,
    writers: tuple[int, ...],
    repetitions: int,
    decisions: int,
) -> None:
    """The append that the seed prints beside ours, by writers who want the same: speed, and lost guards."""
    carry_out(lambda console, server: run(console, server, plan=Plan(writers, repetitions, decisions)), dsn, output)
