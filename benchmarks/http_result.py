"""What came of lending over HTTP: tables, a file, a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from matplotlib.ticker import FuncFormatter
from rich.console import Console

from benchmarks import plots
from benchmarks.output import BudgetLine, new_table
from benchmarks.sampling import Samples, noisy
from benchmarks.stretches import Stretches

REQUEST: Final = "lend route, whole request"
TYPICAL_WORKLOAD: Final = "typical workload, called directly"

_MAY_COST_MORE: Final = 2
_AND: Final = 1000.0  # microseconds


@dataclass(frozen=True, slots=True)
class LendingOverHttp:
    """The result.

    Attributes:
        events: the length of the history in the log of the app.
        samples: of one client: the request, and the command without any web.
        clients: requests by number of clients.
        errors: by number of clients and status; 0 stands for no answer at all.
        start_up: seconds from the start of the program to the first page.
        memory: resident megabytes of each worker.
    """

    events: int
    samples: dict[str, Samples]
    clients: dict[int, Stretches]
    errors: Mapping[int, Mapping[int, int]]
    start_up: float
    memory: Sequence[float]

    @property
    def name(self) -> str:
        """See `Result`."""
        return "http"

    def print_to(self, console: Console) -> None:
        """See `Result`."""
        one = new_table(
            f"One client; {self.events:,} events in the log of the app", "milliseconds", "median", "mean", "p99"
        )
        for name, each in self.samples.items():
            numbers = (each.median, each.mean, each.percentile(99))
            one.add_row(name, *(f"{microseconds / 1000:.2f}" for microseconds in numbers))
        console.print(one)
        many = new_table(
            "Many clients, each with a connection that it keeps; milliseconds",
            "clients",
            "requests per second",
            "median",
            "p99",
            "errors",
        )
        for count, stretches in self.clients.items():
            many.add_row(
                str(count),
                f"{stretches.rate:,.0f}",
                f"{stretches.percentile(50):.1f}",
                f"{stretches.percentile(99):.1f}",
                self._errors_in_words(count),
            )
        console.print(many)
        memory = " and ".join(f"{megabytes:.0f} MB" for megabytes in self.memory) or "unknown"
        console.print(
            f"The first page came {self.start_up:.1f} s after the start; memory of the workers: {memory}.",
            highlight=False,
        )
        for each in noisy([self.samples[TYPICAL_WORKLOAD]]):
            console.print(
                f"[yellow]The machine was noisy:[/] of '{each.name}' one in ten took"
                f" {each.percentile(90) / each.median:.1f} times the median or more. Trust the ratios, not the times."
            )

    def _errors_in_words(self, count: int) -> str:
        errors = self.errors[count]
        return ", ".join(f"{number} × {status or 'no answer'}" for status, number in errors.items()) or "0"

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "events": self.events,
            "one_client": {
                name: {
                    "median": each.median,
                    "mean": each.mean,
                    "p99": each.percentile(99),
                    "samples": [nanoseconds / 1000 for nanoseconds in each.nanoseconds],
                }
                for name, each in self.samples.items()
            },
            "clients": {
                str(count): {**stretches.as_json(), "errors": {str(key): n for key, n in self.errors[count].items()}}
                for count, stretches in self.clients.items()
            },
            "start_up_seconds": self.start_up,
            "megabytes_of_workers": list(self.memory),
        }

    def budget(self) -> Sequence[BudgetLine]:
        """See `Result`."""
        request, direct = self.samples[REQUEST], self.samples[TYPICAL_WORKLOAD]
        each = [above / _allowed(below) for above, below in zip(request.blocks(), direct.blocks(), strict=True)]
        most = max(self.clients)
        errors = sum(self.errors[most].values())
        return (
            BudgetLine(
                "request : 2 × workload + 1 ms",
                request.median / _allowed(direct.median),
                min(each),
                max(each),
                1.0,
            ),
            BudgetLine(f"errors of {most} clients", errors, errors, errors, 0),
        )

    def plot(self, folder: Path) -> list[Path]:
        """See `Result`."""
        request, direct = self.samples[REQUEST].median / 1000, self.samples[TYPICAL_WORKLOAD].median / 1000
        allowed = _allowed(self.samples[TYPICAL_WORKLOAD].median) / 1000
        with plots.figure(figsize=(10.5, 4.6)) as drawn:
            one, many = drawn.subplots(1, 2, width_ratios=(2, 3))
            bars = one.bar((0, 1), (direct, request), width=0.6, color=(plots.FLOOR, plots.OURS))
            one.bar_label(bars, fmt="{:.1f}", padding=3)
            one.hlines(allowed, 0.6, 1.4, color=plots.SEED, linestyle="--")
            one.text(0.55, allowed, "budget", ha="right", va="center", color=plots.SEED, fontsize=10)
            one.set_xticks((0, 1), ("typical workload,\ncalled directly", "whole\nrequest"))
            one.set(title="One client, median", ylabel="milliseconds")
            one.margins(y=0.15)
            places = range(len(self.clients))
            for percent, colour, marker in ((50, plots.OURS, "o"), (99, plots.SECOND, "^")):
                heights = [each.percentile(percent) for each in self.clients.values()]
                many.plot(places, heights, color=colour, marker=marker, label=f"p{percent}")
                for place, height in zip(places, heights, strict=True):
                    offset = (0, 8) if percent == 99 else (0, -16)
                    many.annotate(
                        f"{height:,.1f}", (place, height), offset, textcoords="offset points", ha="center", fontsize=9
                    )
            labels = [f"{count}\n{each.rate:,.0f}/s" for count, each in self.clients.items()]
            many.set_xticks(places, labels)
            many.set(
                title="Many clients", xlabel="clients at once, requests per second", ylabel="milliseconds", yscale="log"
            )
            many.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            many.margins(x=0.12, y=0.2)
            for axes in (one, many):
                axes.grid(visible=False, axis="x")
            drawn.legend(loc="outside lower right", ncols=2)
            return plots.save(drawn, folder, self.name)


def _allowed(typical_workload: float) -> float:
    """Microseconds that a request may take."""
    return _MAY_COST_MORE * typical_workload + _AND
