"""`python -m benchmarks prime`"""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.shared import carry_out, primed_store, store_options
from benchmarks.priming_result import PrimingResult


def run(console: Console, server: str, *, events: int = 1_000_000, fresh: bool = False) -> PrimingResult:
    """Load the history unless it is there."""
    return PrimingResult(primed_store(console, server, events, fresh=fresh))


@click.command("prime")
@store_options
def command(*, events: int, dsn: str | None, fresh: bool, output: Path | None) -> None:
    """Only load the history, and say how long it took."""
    carry_out(lambda console, server: run(console, server, events=events, fresh=fresh), dsn, output)
