"""`python -m benchmarks all`"""

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from benchmarks import concurrency as many_writers
from benchmarks import lending_over_http, race
from benchmarks.commands import append, concurrency, http, peers, prime, query, replay, scaling, typical_workload
from benchmarks.commands import race as race_command
from benchmarks.commands.shared import reported, store_options
from benchmarks.machine import Machine
from benchmarks.server import running_server
from benchmarks.suite import Run, run_suite
from eventstore.postgres import open_pool

_SHORTER: Final = 100_000
"""Events, where each run fills a store anew or serves one."""


def suite(events: int, *, fresh: bool) -> tuple[tuple[str, Run], ...]:
    """Everything, in the order in which it runs, with repetitions for about five minutes in all.

    Args:
        events: the length of the history.
        fresh: prime again.
    """
    shorter = min(events, _SHORTER)
    sizes = [size for size in scaling.DEFAULT_SIZES if size < events] + [events]
    return (
        ("prime", lambda console, server: prime.run(console, server, events=events, fresh=fresh)),
        ("typical-workload", lambda console, server: typical_workload.run(console, server, events=events, rounds=800)),
        ("append", lambda console, server: append.run(console, server, events=events, rounds=500)),
        ("query", lambda console, server: query.run(console, server, events=events, rounds=300)),
        ("scaling", lambda console, server: scaling.run(console, server, sizes=sizes, rounds=250)),
        ("replay", lambda console, server: replay.run(console, server, events=events, repetitions=1)),
        (
            "concurrency",
            lambda console, server: concurrency.run(
                console, server, events=events, plan=many_writers.Plan(repetitions=3, seconds=1.0)
            ),
        ),
        ("race", lambda console, server: race_command.run(console, server, plan=race.Plan(repetitions=3))),
        (
            "http",
            lambda console, server: http.run(
                console, server, events=shorter, fresh=fresh, plan=lending_over_http.Plan(seconds=1.5)
            ),
        ),
        # The store of this length may have been primed again just now, by a benchmark before.
        ("peers", lambda console, server: peers.run(console, server, events=shorter, fresh=fresh and shorter < events)),
    )


@click.command("all")
@store_options
def command(events: int, dsn: str | None, fresh: bool, output: Path | None) -> None:
    """Everything, in about five minutes, and all promises in one table at the end."""
    console = Console()
    with reported(), running_server(dsn) as server:
        with open_pool(server, max_size=1) as pool, pool.connection() as connection:
            machine = Machine.behind(connection)
        summary = run_suite(console, server, suite(events, fresh=fresh), machine, output)
    if summary.failed:
        raise click.exceptions.Exit(1)
