"""`python -m benchmarks append`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.append import measure
from benchmarks.commands.shared import carry_out, primed_store, rounds_option, shown, store_options
from benchmarks.one_client import OneClientResult
from benchmarks.sampling import WARM_UP_ROUNDS
from eventstore.postgres import open_pool


def run(
    console: Console, server: str, *, events: int = 1_000_000, fresh: bool = False, rounds: int = 1_000
) -> OneClientResult:
    """Prime a store unless it is there, and measure."""
    primed = primed_store(console, server, events, fresh=fresh)
    with open_pool(server, max_size=1) as pool, shown(console, WARM_UP_ROUNDS + rounds) as on_round:
        return measure(pool, primed, rounds, on_round)


@click.command("append")
@store_options
@rounds_option(1_000)
def command(*, events: int, dsn: str | None, fresh: bool, rounds: int, output: Path | None) -> None:
    """Append one event and five events, with and without a condition, by one client."""
    carry_out(lambda console, server: run(console, server, events=events, fresh=fresh, rounds=rounds), dsn, output)
