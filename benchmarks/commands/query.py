"""`python -m benchmarks query`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.shared import (
    carry_out,
    longest_option,
    primed_school,
    primed_store,
    rounds_option,
    shown,
    store_options,
)
from benchmarks.one_client import OneClientResult
from benchmarks.query import all_rounds, measure
from eventstore.postgres import open_pool


def run(
    console: Console,
    server: str,
    *,
    events: int = 1_000_000,
    fresh: bool = False,
    longest: int = 100_000,
    rounds: int = 1_000,
) -> OneClientResult:
    """Prime the stores unless they are there, and measure."""
    primed = primed_store(console, server, events, fresh=fresh)
    school = primed_school(console, server, longest, fresh=fresh)
    with open_pool(server, max_size=1) as pool, shown(console, all_rounds(rounds)) as on_round:
        return measure(pool, primed, school, rounds, on_round)


@click.command("query")
@store_options
@longest_option
@rounds_option(1_000)
def command(*, events: int, dsn: str | None, fresh: bool, longest: int, rounds: int, output: Path | None) -> None:
    """Query about 30 events, one event, and streams of 1,000 and of 100,000, by one client."""

    def chosen(console: Console, server: str) -> OneClientResult:
        return run(console, server, events=events, fresh=fresh, longest=longest, rounds=rounds)

    carry_out(chosen, dsn, output)
