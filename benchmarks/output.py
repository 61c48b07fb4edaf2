"""What becomes of a result: a table to read, a file to compare with, pictures to look at."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.sampling import Samples, noisy


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """A promise, and whether it was kept.

    Attributes:
        what: is compared with what.
        ratio: what was measured; `lowest` and `highest` are its range within the run.
        budget: what it may be at most, or must be `at_least`.
    """

    what: str
    ratio: float
    lowest: float
    highest: float
    budget: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the promise was kept."""
        return self.ratio >= self.budget if self.at_least else self.ratio <= self.budget


class Result(Protocol):
    """The result of one benchmark."""

    @property
    def name(self) -> str:
        """Of the benchmark, as on the command line."""
        ...

    def print_to(self, console: Console) -> None:
        """Print the tables."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured: times in microseconds, rates per second."""
        ...

    def budget(self) -> Sequence[BudgetLine]:
        """The promises that this benchmark is about; perhaps none."""
        ...

    def plot(self, folder: Path) -> list[Path]:
        """Draw pictures into a folder; the paths of what was written."""
        ...


def new_table(title: str, first: str, *others: str) -> Table:
    """A table whose first column says what, and whose other columns are numbers."""
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def print_times(console: Console, title: str, samples: Iterable[Samples]) -> None:
    """Print how long each thing takes."""
    table = new_table(title, "milliseconds", "median", "mean", "p99", "per second")
    for each in samples:
        numbers = (each.median, each.mean, each.percentile(99))
        table.add_row(each.name, *(f"{microseconds / 1000:.3f}" for microseconds in numbers), f"{each.per_second:,.0f}")
    console.print(table)


def print_noise(console: Console, floors: Iterable[Samples]) -> None:
    """Warn if the machine was busy with something else: what does the same each time took much longer now and then."""
    restless = noisy(floors)
    if restless:
        worst = max(restless, key=lambda each: each.percentile(90) / each.median)
        others = f" (and of {len(restless) - 1} more)" if len(restless) > 1 else ""
        console.print(
            f"[yellow]The machine was noisy:[/] of '{worst.name}'{others} one in ten took"
            f" {worst.percentile(90) / worst.median:.1f} times the median or more. Trust the ratios, not the times."
        )


def measurements(samples: Iterable[Samples]) -> dict[str, Any]:
    """Every sample, and its figures, by the name of the thing: times in microseconds."""
    return {
        each.name: {
            "median": each.median,
            "mean": each.mean,
            "p90": each.percentile(90),
            "p99": each.percentile(99),
            "per_second": each.per_second,
            "samples": [nanoseconds / 1000 for nanoseconds in each.nanoseconds],
        }
        for each in samples
    }


def print_budget(console: Console, lines: Sequence[BudgetLine]) -> None:
    """Print how the promises were kept."""
    table = new_table("", "promise", "measured", "range", "budget", "")
    for line in lines:
        sign = "≥" if line.at_least else "≤"
        verdict = "[green]met[/]" if line.met else "[red]missed[/]"
        table.add_row(
            line.what,
            f"{line.ratio:.2f}",
            f"{line.lowest:.2f}-{line.highest:.2f}",
            f"{sign} {line.budget:.2f}",
            verdict,
        )
    if lines:
        console.print(table)


def publish(console: Console, result: Result, machine: Machine, folder: Path | None) -> None:
    """Print a result, and write it to a folder if there is one: `<name>.json`, and its pictures as PNG and SVG."""
    result.print_to(console)
    print_budget(console, result.budget())
    console.print(str(machine), highlight=False)
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "benchmark": result.name,
        "machine": asdict(machine),
        **result.as_json(),
        "budget": [{**asdict(line), "met": line.met} for line in result.budget()],
    }
    file = folder / f"{result.name}.json"
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    for written in (file, *result.plot(folder)):
        console.print(f"Wrote {written}", highlight=False)
