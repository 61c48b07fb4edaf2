"""What all commands have in common."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click
import psycopg
from rich.console import Console
from rich.progress import Progress

from benchmarks.library_log import FEWEST_EVENTS, MOST_EVENTS
from benchmarks.machine import Machine
from benchmarks.output import Result, publish
from benchmarks.priming import PrimedStore, prime, progress_bars
from benchmarks.report import print_priming
from benchmarks.sampling import OnRound
from benchmarks.server import EMBEDDED_DATA, CannotMeasure, running_server
from eventstore import EventStoreError
from eventstore.postgres import open_pool

F = TypeVar("F", bound=Callable[..., Any])
Run: TypeAlias = Callable[[Console, str], Result]
"""A benchmark whose options are chosen: measures on the server of a connection string, and shows how far it is."""


def server_options(command: F) -> F:
    """The options of every command."""
    options = (
        click.option(
            "--dsn",
            help="A PostgreSQL on this machine (libpq connection string or URL). Default: a private server whose"
            f" data stay in {EMBEDDED_DATA}.",
        ),
        click.option("--fresh", is_flag=True, help="Prime again even if the store is there."),
        click.option(
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            help="Write everything measured as JSON, and the pictures, to this folder. Default: only print.",
        ),
    )
    return _with(command, *options)


def store_options(command: F) -> F:
    """The options of every command that needs one primed store."""
    events = click.option(
        "--events",
        type=click.IntRange(FEWEST_EVENTS, MOST_EVENTS),
        default=1_000_000,
        show_default=True,
        help="Length of the history in the store. Each length has a store of its own, kept for the next run.",
    )
    return _with(server_options(command), events)


def rounds_option(default: int) -> Callable[[F], F]:
    """How often things are measured."""
    return click.option(
        "--rounds",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help="How often each thing is measured, in turns with all others.",
    )


def carry_out(run: Run, dsn: str | None, output: Path | None) -> None:
    """Find the server, measure, print, and write; whatever can go wrong becomes one line."""
    console = Console()
    with reported(), running_server(dsn) as server:
        with open_pool(server, max_size=1) as pool, pool.connection() as connection:
            machine = Machine.behind(connection)
        publish(console, run(console, server), machine, output)


@contextmanager
def reported() -> Generator[None]:
    """Turn what can go wrong into one line."""
    try:
        yield
    except (CannotMeasure, EventStoreError) as error:
        raise click.ClickException(str(error)) from error
    except psycopg.Error as error:
        raise click.ClickException(f"PostgreSQL: {' '.join(str(error).split())}") from error
    except OSError as error:  # the folder for the output, mostly
        raise click.ClickException(str(error)) from error


def primed_store(console: Console, dsn: str, events: int, *, fresh: bool) -> PrimedStore:
    """Prime a store unless it is there, and say so."""
    with progress_bars() as progress:
        primed = prime(dsn, events, progress=progress, fresh=fresh)
    print_priming(console, primed)
    return primed


@contextmanager
def shown(console: Console, total: int, what: str = "Measuring") -> Generator[OnRound]:
    """A progress bar that vanishes in the end; call what it gives after each of `total` rounds."""
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def _with(command: F, *options: Callable[[F], F]) -> F:
    for option in reversed(options):
        command = option(command)
    return command
