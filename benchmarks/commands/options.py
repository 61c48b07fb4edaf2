"""Options of the benchmarks with many clients or with stores of another length."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from benchmarks.library_log import FEWEST_EVENTS, MOST_EVENTS
from benchmarks.server import EMBEDDED_DATA

F = TypeVar("F", bound=Callable[..., Any])

MOST_CLIENTS: Final = 64
"""More would need more connections than PostgreSQL allows by default, with those of whatever else runs."""


def arena_options(command: F) -> F:
    """The options of a command that makes empty stores of its own: there is nothing to prime."""
    for option in (
        click.option(
            "--output",
            type=click.Path(file_okay=False, path_type=Path),
            help="Write everything measured as JSON, and the pictures, to this folder. Default: only print.",
        ),
        click.option(
            "--dsn",
            help="A PostgreSQL on this machine (libpq connection string or URL). Default: a private server whose"
            f" data stay in {EMBEDDED_DATA}.",
        ),
    ):
        command = option(command)
    return command


def events_option(default: int, what: str) -> Callable[[F], F]:
    """The length of a history that is not the store of the other benchmarks.

    Args:
        default: number of events.
        what: is said in the help.
    """
    return click.option(
        "--events", type=click.IntRange(FEWEST_EVENTS, MOST_EVENTS), default=default, show_default=True, help=what
    )


def repetitions_option(default: int) -> Callable[[F], F]:
    """How often a command measures each stretch."""
    return click.option(
        "--repetitions",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="How often each stretch is measured, in turns with all others.",
    )


def seconds_option(default: float) -> Callable[[F], F]:
    """How long each stretch lasts."""
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
