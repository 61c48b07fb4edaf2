"""`python -m benchmarks scaling`"""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from benchmarks.commands.shared import (
    carry_out,
    longest_option,
    primed_school,
    primed_store,
    rounds_option,
    server_options,
    shown,
)
from benchmarks.library_log import FEWEST_EVENTS, MOST_EVENTS
from benchmarks.sampling import WARM_UP_ROUNDS
from benchmarks.scaling import measure
from benchmarks.scaling_result import ScalingResult
from eventstore.postgres import open_pool

DEFAULT_SIZES = (10_000, 100_000, 1_000_000)


class Sizes(click.ParamType[tuple[int, ...]]):
    """Several lengths of a history, separated by commas."""

    name = "numbers"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The sizes, each once, the smallest first."""
        if isinstance(value, tuple):
            return value
        try:
            sizes = {int(part) for part in value.split(",")}
        except ValueError:
            self.fail(f"{value!r} is no list of numbers such as 10000,100000", param, ctx)
        if not all(FEWEST_EVENTS <= size <= MOST_EVENTS for size in sizes):
            self.fail(f"a history has {FEWEST_EVENTS} to {MOST_EVENTS:,} events", param, ctx)
        return tuple(sorted(sizes))


def run(
    console: Console,
    server: str,
    *,
    sizes: Sequence[int] = DEFAULT_SIZES,
    fresh: bool = False,
    longest: int = 100_000,
    rounds: int = 300,
) -> ScalingResult:
    """Prime the stores unless they are there, and measure."""
    stores = [primed_store(console, server, events, fresh=fresh) for events in sizes]
    school = primed_school(console, server, longest, fresh=fresh)
    with open_pool(server, max_size=1) as pool, shown(console, WARM_UP_ROUNDS + rounds) as on_round:
        return measure(pool, stores, school, rounds, on_round)


@click.command("scaling")
@click.option(
    "--sizes",
    type=Sizes(),
    default=",".join(map(str, DEFAULT_SIZES)),
    show_default=True,
    help="Lengths of the histories. Add 10000000, which takes 6 GB and ten minutes to prime, on demand.",
)
@longest_option
@rounds_option(300)
@server_options
def command(
    *, dsn: str | None, fresh: bool, output: Path | None, sizes: tuple[int, ...], longest: int, rounds: int
) -> None:
    """Append, query and a whole command by the size of the store; appends by the length of the guarding stream."""

    def chosen(console: Console, server: str) -> ScalingResult:
        return run(console, server, sizes=sizes, fresh=fresh, longest=longest, rounds=rounds)

    carry_out(chosen, dsn, output)
