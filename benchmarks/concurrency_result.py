"""What came of many writers: tables, a file, pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from rich.console import Console

from benchmarks import plots
from benchmarks.disjoint_writers import APART, COMBINED, FLOOR, LINES
from benchmarks.output import BudgetLine, new_table
from benchmarks.races import Races
from benchmarks.stretches import Stretches, ratio_of_rates, unsteady

PROMISED_AT: Final = 16
"""Writers for whom the promise is made."""
_BUDGET: Final = 0.9

_COLOURS: Final = {FLOOR: plots.FLOOR, COMBINED: plots.OURS, APART: plots.SECOND}
_MARKERS: Final = {FLOOR: "s", COMBINED: "o", APART: "^"}


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The result.

    Attributes:
        events: in the store, and in its twin, at the beginning.
        processes: that the writers with disjoint boundaries were spread over.
        disjoint: by line and number of writers.
        contended: by number of writers.
        audited: events of writers with disjoint boundaries that were read back and found to be right.
    """

    events: int
    processes: int
    disjoint: dict[tuple[str, int], Stretches]
    contended: dict[int, Races]
    audited: int

    @property
    def name(self) -> str:
        """See `Result`."""
        return "concurrency"

    @property
    def writers(self) -> list[int]:
        """How many at once, ascending."""
        return sorted({count for _, count in self.disjoint})

    def print_to(self, console: Console) -> None:
        """See `Result`."""
        where = "threads of one process" if self.processes == 1 else f"threads of {self.processes} processes"
        table = new_table(
            f"Disjoint boundaries, {self.events:,} events; writers are {where},\nappends per second; p50 and p99 in ms",
            "writers",
            "floor",
            "combined",
            "ratio",
            "each alone",
            "p50",
            "p99",
            "floor p99",
        )
        for count in self.writers:
            floor, ours, apart = (self.disjoint[line, count] for line in LINES)
            table.add_row(
                str(count),
                f"{floor.rate:,.0f}",
                f"{ours.rate:,.0f}",
                f"{ratio_of_rates(ours, floor)[0]:.2f}",
                f"{apart.rate:,.0f}",
                f"{ours.percentile(50):.2f}",
                f"{ours.percentile(99):.2f}",
                f"{floor.percentile(99):.2f}",
            )
        console.print(table)
        console.print(f"Every append won; {self.audited:,} events were read back and are as they should be.")
        if self.contended:
            self._print_contended(console)
        worst = unsteady(self.disjoint[FLOOR, count] for count in self.writers)
        if worst is not None:
            console.print(
                f"[yellow]The machine was noisy:[/] repetitions of a floor differed by a factor of {worst:.1f}."
                " Trust the ratios, not the rates."
            )

    def _print_contended(self, console: Console) -> None:
        table = new_table(
            "All want the same few copies: wins per second; p50 and p99 of a win in ms",
            "writers",
            "wins",
            "refused",
            "p50",
            "p99",
            "lost guards",
        )
        for count, races in self.contended.items():
            table.add_row(
                str(count),
                f"{races.accepted.rate:,.0f}",
                f"{races.refused_share:.0%}",
                f"{races.accepted.percentile(50):.2f}",
                f"{races.accepted.percentile(99):.2f}",
                f"{races.lost_guards} of {races.accepted_in_all:,}",
            )
        console.print(table)

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "events": self.events,
            "processes": self.processes,
            "audited": self.audited,
            "disjoint": {
                line: {str(count): self.disjoint[line, count].as_json() for count in self.writers} for line in LINES
            },
            "contended": {str(count): races.as_json() for count, races in self.contended.items()},
        }

    def budget(self) -> Sequence[BudgetLine]:
        """See `Result`."""
        if PROMISED_AT not in self.writers:
            return ()
        ratio, lowest, highest = ratio_of_rates(self.disjoint[COMBINED, PROMISED_AT], self.disjoint[FLOOR, PROMISED_AT])
        what = f"rate of {PROMISED_AT} writers : floor"
        return (BudgetLine(what, ratio, lowest, highest, _BUDGET, at_least=True),)

    def plot(self, folder: Path) -> list[Path]:
        """See `Result`."""
        with plots.figure(figsize=(10.5, 4.8)) as drawn:
            rate, latency = drawn.subplots(1, 2)
            for line in LINES:
                stretches = [self.disjoint[line, count] for count in self.writers]
                look = {"color": _COLOURS[line], "marker": _MARKERS[line]}
                rate.plot(self.writers, [each.rate for each in stretches], label=line, **look)
                rate.fill_between(
                    self.writers,
                    [min(each.rates) for each in stretches],
                    [max(each.rates) for each in stretches],
                    color=_COLOURS[line],
                    alpha=0.15,
                    linewidth=0,
                )
                latency.plot(self.writers, [each.percentile(99) for each in stretches], **look)
                latency.plot(
                    self.writers, [each.percentile(50) for each in stretches], alpha=0.6, linestyle=":", **look
                )
            rate.set(title="Disjoint boundaries", ylim=(0, None), ylabel="events per second")
            rate.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            latency.set(title="Time of one append", ylabel="milliseconds", yscale="log")
            latency.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            latency.text(0, 1.005, "p99 solid, p50 dotted", transform=latency.transAxes, fontsize=10, color="#5a605c")
            for axes in (rate, latency):
                self._axis_of_writers(axes)
            drawn.legend(loc="outside lower center", ncols=len(LINES))
            written = plots.save(drawn, folder, self.name)
        return written + (self._plot_contended(folder) if self.contended else [])

    def _axis_of_writers(self, axes: Axes) -> None:
        axes.set_xscale("log", base=2)
        axes.set_xlabel("writers at once")
        axes.xaxis.set_major_locator(FixedLocator(self.writers))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())

    def _plot_contended(self, folder: Path) -> list[Path]:
        with plots.figure() as drawn:
            axes = drawn.subplots()
            places = range(len(self.contended))
            bars = axes.bar(places, [races.accepted.rate for races in self.contended.values()], color=plots.OURS)
            lost = sum(races.lost_guards for races in self.contended.values())
            axes.bar_label(
                bars,
                [f"{races.refused_share:.0%}\nrefused" for races in self.contended.values()],
                padding=3,
                fontsize=9,
            )
            axes.margins(y=0.18)
            axes.set_xticks(places, [str(count) for count in self.contended])
            axes.grid(visible=False, axis="x")
            axes.set(
                title=f"All want the same few copies ({lost} lost guards)",
                xlabel="writers at once",
                ylabel="appends that won, per second",
            )
            return plots.save(drawn, folder, f"{self.name}-contended")
