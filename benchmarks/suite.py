"""Several benchmarks on one server, one after the other, and all their promises in one table."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from rich.console import Console

from benchmarks.machine import Machine
from benchmarks.output import BudgetLine, Result, print_budget, publish
from benchmarks.server import CannotMeasure
from eventstore import EventStoreError

Run = Callable[[Console, str], Result]
"""A benchmark whose options are chosen: measures on the server of a connection string, and shows how far it is."""


@dataclass
class Summary:
    """What came of a suite.

    Attributes:
        promises: of all benchmarks that came to their end.
        failed: why the others did not, by name.
        seconds: what each took, priming included.
    """

    promises: list[BudgetLine] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def run_suite(
    console: Console, server: str, benchmarks: Sequence[tuple[str, Run]], machine: Machine, folder: Path | None
) -> Summary:
    """Run one benchmark after the other, print each result and at last all promises.

    One that cannot be measured, because a package is not installed for instance, does not keep the others from it.

    Args:
        console: to print on.
        server: connection string.
        benchmarks: each with its name.
        machine: where all this happens.
        folder: for all results; None only prints.
    """
    summary = Summary()
    for number, (name, run) in enumerate(benchmarks, 1):
        console.rule(f"{name} ({number} of {len(benchmarks)})", align="left")
        began = time.perf_counter()
        try:
            result = run(console, server)
            publish(console, result, machine, folder)
            summary.promises.extend(result.budget())
        except (CannotMeasure, EventStoreError, psycopg.Error) as error:
            summary.failed[name] = " ".join(str(error).split())
            console.print(f"[red]Not measured:[/] {summary.failed[name]}", highlight=False)
        summary.seconds[name] = time.perf_counter() - began
    console.rule("All promises", align="left")
    print_budget(console, summary.promises)
    kept = sum(promise.met for promise in summary.promises)
    minutes = sum(summary.seconds.values()) / 60
    console.print(f"{kept} of {len(summary.promises)} promises kept, in {minutes:.1f} minutes.", highlight=False)
    for name, reason in summary.failed.items():
        console.print(f"[red]Not measured:[/] {name}: {reason}", highlight=False)
    return summary
