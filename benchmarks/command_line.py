"""What the commands share: options, priming with bars, and errors in one line."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import report
from benchmarks.library_log import FEWEST_EVENTS, MOST_EVENTS
from benchmarks.machine import Machine
from benchmarks.priming import PrimedStore, prime, progress_bars
from benchmarks.server import EMBEDDED_DATA, CannotMeasure
from eventstore import EventStoreError

F = TypeVar("F", bound=Callable[..., Any])

MOST_CLIENTS: Final = 64
"""More would need more connections than PostgreSQL allows by default, with those of whatever else runs."""

dsn_option = click.option(
    "--dsn",
    help="A PostgreSQL on this machine (libpq connection string or URL). Default: a private server whose"
    f" data stay in {EMBEDDED_DATA}.",
)
output_option = click.option(
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write everything measured (JSON) and plots (PNG and SVG) into this folder.",
)


def store_options(events: int = 1_000_000) -> Callable[[F], F]:
    """The options of a command that needs a primed store.

    Args:
        events: the default length of the history.
    """

    def decorate(command: F) -> F:
        options = (
            click.option(
                "--events",
                type=click.IntRange(FEWEST_EVENTS, MOST_EVENTS),
                default=events,
                show_default=True,
                help="Length of the history in the store. Each length has a store of its own, kept for the next run.",
            ),
            dsn_option,
            click.option("--fresh", is_flag=True, help="Prime again even if the store is there."),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def repetitions_option(default: int) -> Callable[[F], F]:
    """How often a command measures each thing of some seconds.

    Args:
        default: for a run that one waits for.
    """
    return click.option(
        "--repetitions",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="How often each stretch is measured, in turns with all others.",
    )


def seconds_option(default: float) -> Callable[[F], F]:
    """How long each stretch lasts.

    Args:
        default: seconds.
    """
    return click.option(
        "--seconds",
        type=click.FloatRange(0, min_open=True),
        default=default,
        show_default=True,
        help="Length of a stretch.",
    )


def counts_option(name: str, default: str, what: str, *, least: int = 1) -> Callable[[F], F]:
    """Several numbers of clients, in one option: `--writers 1,8,64`. The command gets them ascending, as a tuple.

    Args:
        name: of the option.
        default: as it is typed.
        what: is said in the help.
        least: the lowest number allowed.
    """

    def parse(_context: click.Context, _option: click.Parameter, text: str) -> tuple[int, ...]:
        try:
            numbers = sorted({int(number) for number in text.split(",")})
        except ValueError:
            raise click.BadParameter(f"{text!r} is not a list of whole numbers such as {default}") from None
        if not least <= numbers[0] <= numbers[-1] <= MOST_CLIENTS:
            raise click.BadParameter(f"{text!r} must lie between {least} and {MOST_CLIENTS}")
        return tuple(numbers)

    return click.option(name, default=default, show_default=True, callback=parse, help=what)


def primed_store(console: Console, dsn: str, events: int, *, fresh: bool) -> PrimedStore:
    """Prime a store with bars that show it, and say what is in it."""
    with progress_bars() as progress:
        primed = prime(dsn, events, progress=progress, fresh=fresh)
    report.print_priming(console, primed)
    return primed


def machine_behind(dsn: str) -> Machine:
    """This machine, and the server."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return Machine.behind(connection)


@contextmanager
def measuring(console: Console, total: int) -> Generator[Callable[[], None]]:
    """A bar while something is measured; what is yielded moves it on by one.

    Args:
        console: where it is shown.
        total: how many steps there are.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Measuring", total=total)
        yield lambda: progress.advance(task)


@contextmanager
def reported() -> Generator[None]:
    """Turn what can go wrong into one line."""
    try:
        yield
    except (CannotMeasure, EventStoreError) as error:
        raise click.ClickException(str(error)) from error
    except psycopg.Error as error:
        raise click.ClickException(f"PostgreSQL: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise click.ClickException(" ".join(str(error).split())) from error
