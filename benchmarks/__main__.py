"""The command line: `python -m benchmarks --help`."""

import json
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import psycopg
from rich.console import Console
from rich.progress import Progress

from benchmarks import report
from benchmarks.commands import concurrency, http, peers, race, whole_suite
from benchmarks.library_log import FEWEST_EVENTS, MOST_EVENTS
from benchmarks.machine import Machine
from benchmarks.priming import PrimedStore, prime, progress_bars
from benchmarks.sampling import WARM_UP_ROUNDS, in_turns
from benchmarks.server import EMBEDDED_DATA, CannotMeasure, running_server
from benchmarks.typical_workload import TypicalWorkload
from eventstore import EventStoreError
from eventstore.postgres import open_pool

F = TypeVar("F", bound=Callable[..., Any])


def _store_options(command: F) -> F:
    """The options of every command that needs a primed store."""
    options = (
        click.option(
            "--events",
            type=click.IntRange(FEWEST_EVENTS, MOST_EVENTS),
            default=1_000_000,
            show_default=True,
            help="Length of the history in the store. Each length has a store of its own, kept for the next run.",
        ),
        click.option(
            "--dsn",
            help="A PostgreSQL on this machine (libpq connection string or URL). Default: a private server whose"
            f" data stay in {EMBEDDED_DATA}.",
        ),
        click.option("--fresh", is_flag=True, help="Prime again even if the store is there."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Measure the event store, beside what the same machine could do at best.

    Without a command: typical-workload.
    """
    if context.invoked_subcommand is None:
        context.invoke(typical_workload)


@main.command("prime")
@_store_options
def prime_command(events: int, dsn: str | None, fresh: bool) -> None:
    """Only load the history, and say how long it took."""
    console = Console()
    with _reported(), running_server(dsn) as server:
        _primed(console, server, events, fresh=fresh)


@main.command("typical-workload")
@_store_options
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="How often each thing is measured, in turns with all others.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write everything measured to this file.",
)
def typical_workload(events: int, dsn: str | None, fresh: bool, rounds: int, json_file: Path | None) -> None:
    """Query, append, and a whole command (query, decode, fold, decide, encode, append), by one client."""
    console = Console()
    with _reported(), running_server(dsn) as server:
        primed = _primed(console, server, events, fresh=fresh)
        with open_pool(server, max_size=1) as pool:
            with pool.connection() as connection:
                machine = Machine.behind(connection)
            workload = TypicalWorkload(pool, primed.table, primed.library)
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task("Measuring", total=WARM_UP_ROUNDS + rounds)
                samples = in_turns(workload.things(), rounds, on_round=lambda: progress.advance(task))
    found = workload.events_found
    title = f"One client, {rounds:,} rounds; a query finds {sum(found) / len(found):.1f} events,"
    report.print_times(console, f"{title} the long stream {workload.long_stream:,}", samples)
    report.print_ratios(console, samples)
    console.print(str(machine), highlight=False)
    report.print_noise(console, samples)
    if json_file:
        document = report.as_json(machine, primed, samples, rounds=rounds, events_found=found)
        json_file.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _primed(console: Console, dsn: str, events: int, *, fresh: bool) -> PrimedStore:
    with progress_bars() as progress:
        primed = prime(dsn, events, progress=progress, fresh=fresh)
    report.print_priming(console, primed)
    return primed


@contextmanager
def _reported() -> Generator[None]:
    """Turn what can go wrong into one line."""
    try:
        yield
    except (CannotMeasure, EventStoreError) as error:
        raise click.ClickException(str(error)) from error
    except psycopg.Error as error:
        raise click.ClickException(f"PostgreSQL: {' '.join(str(error).split())}") from error


main.add_command(concurrency.command)
main.add_command(http.command)
main.add_command(peers.command)
main.add_command(race.command)
main.add_command(whole_suite.command)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: leave no server behind
    main(prog_name="python -m benchmarks")
