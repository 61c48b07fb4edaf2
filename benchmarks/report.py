"""The results as a table for people and as JSON for everything else."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.priming import PrimedStore
from benchmarks.sampling import Ratio, Samples, noisy
from benchmarks.typical_workload import (
    APPEND,
    APPEND_BEHIND,
    APPEND_TO_LONG_STREAM,
    BARE_INSERT,
    QUERY,
    ROUND_TRIP,
    ROWS_BY_KEY,
    TYPICAL_WORKLOAD,
)

PRIMING_BUDGET: Final = 45.0
"""Seconds for a million events, indexes included."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared with what.

    Attributes:
        thing: what was measured.
        floors: what it is compared with, taken together.
        budget: the highest ratio allowed; None if there is no promise.
    """

    thing: str
    floors: tuple[str, ...]
    budget: float | None


COMPARISONS: Final = (
    Comparison(QUERY, (ROWS_BY_KEY,), 1.3),
    Comparison(APPEND, (BARE_INSERT,), 1.2),
    Comparison(APPEND_TO_LONG_STREAM, (APPEND,), 1.2),
    Comparison(APPEND_BEHIND, (APPEND,), None),
    Comparison(TYPICAL_WORKLOAD, (QUERY, APPEND), 1.15),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A comparison that was made."""

    comparison: Comparison
    ratio: Ratio

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None if there is none."""
        return None if self.comparison.budget is None else self.ratio.value <= self.comparison.budget


def verdicts(samples: dict[str, Samples]) -> dict[str, Verdict]:
    """Every comparison, by the name of the thing compared."""
    return {
        each.thing: Verdict(each, Ratio.of(samples[each.thing], *(samples[floor] for floor in each.floors)))
        for each in COMPARISONS
    }


def print_priming(console: Console, primed: PrimedStore) -> None:
    """Say what is in the store and what it took."""
    events = primed.library.events
    phases = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in primed.seconds.items())
    total = sum(primed.seconds.values())
    what = "Used again" if primed.reused else "Primed"
    console.print(f"{what}: {primed.table}, primed with {events:,} events, now {primed.size_now:,}.")
    budget = ""
    if events == 1_000_000:
        budget = f" (budget {PRIMING_BUDGET:.0f} s: {_word(total <= PRIMING_BUDGET)})"
    console.print(f"Priming took {total:.1f} s{budget}: {phases}")


def print_times(console: Console, title: str, samples: dict[str, Samples]) -> None:
    """Print how long each thing takes."""
    table = _table(title, "milliseconds", "median", "mean", "p99", "per second")
    for name, each in samples.items():
        numbers = (each.median, each.mean, each.percentile(99))
        table.add_row(name, *(f"{microseconds / 1000:.3f}" for microseconds in numbers), f"{each.per_second:,.0f}")
    console.print(table)


def print_ratios(console: Console, samples: dict[str, Samples]) -> None:
    """Print how the medians compare, and whether the budgets are met."""
    table = _table("", "how many times as long", "ratio", "range", "budget", "")
    for name, verdict in verdicts(samples).items():
        ratio, budget = verdict.ratio, verdict.comparison.budget
        table.add_row(
            f"{name} : {' + '.join(verdict.comparison.floors)}",
            f"{ratio.value:.2f}",
            f"{ratio.lowest:.2f}-{ratio.highest:.2f}",
            "" if budget is None else f"{budget:.2f}",
            "" if verdict.met is None else _word(verdict.met),
        )
    console.print(table)


def print_noise(console: Console, samples: dict[str, Samples]) -> None:
    """Warn if the machine was busy with something else."""
    for each in noisy(samples[name] for name in (ROUND_TRIP, ROWS_BY_KEY, BARE_INSERT)):
        console.print(
            f"[yellow]The machine was noisy:[/] of '{each.name}' one in ten took"
            f" {each.percentile(90) / each.median:.1f} times the median or more. Trust the ratios, not the times."
        )


def as_json(
    machine: Machine, primed: PrimedStore, samples: dict[str, Samples], *, rounds: int, events_found: Sequence[int]
) -> dict[str, Any]:
    """Everything measured, for a file: times in microseconds."""
    return {
        "benchmark": "typical-workload",
        "machine": asdict(machine),
        "priming": {
            "events": primed.library.events,
            "table": primed.table,
            "reused": primed.reused,
            "seconds": primed.seconds,
            "events_before_measuring": primed.size_now,
        },
        "rounds": rounds,
        "events_per_query": sum(events_found) / max(1, len(events_found)),
        "measurements": {
            name: {
                "median": each.median,
                "mean": each.mean,
                "p90": each.percentile(90),
                "p99": each.percentile(99),
                "per_second": each.per_second,
                "samples": [nanoseconds / 1000 for nanoseconds in each.nanoseconds],
            }
            for name, each in samples.items()
        },
        "ratios": {
            name: {
                "to": list(verdict.comparison.floors),
                "budget": verdict.comparison.budget,
                "met": verdict.met,
                **asdict(verdict.ratio),
            }
            for name, verdict in verdicts(samples).items()
        },
    }


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _word(met: bool) -> str:
    return "[green]met[/]" if met else "[red]missed[/]"
