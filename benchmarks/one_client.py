"""The result of a benchmark in which one client does several things in turns, each beside its floor."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.lines import Line2D
from rich.console import Console

from benchmarks.output import BudgetLine, measurements, new_table, print_noise, print_times
from benchmarks.plots import FLOOR, OURS, figure, milliseconds_axis, save
from benchmarks.priming import PrimedStore
from benchmarks.sampling import Ratio, Samples


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

    def __str__(self) -> str:
        return f"{self.thing} : {' + '.join(self.floors)}"


@dataclass(frozen=True, slots=True)
class OneClientResult:
    """What was measured in turns, and how it compares.

    Attributes:
        name: of the benchmark.
        title: of the table.
        headline: of the picture.
        samples: by the names of the things, in the order in which they are shown.
        comparisons: which ratios are of interest.
        floors: which of the things are nobody's achievement but the machine's.
        primed: the store.
        facts: what else a reader of the JSON should know.
    """

    name: str
    title: str
    headline: str
    samples: dict[str, Samples]
    comparisons: Sequence[Comparison]
    floors: Sequence[str]
    primed: PrimedStore
    facts: dict[str, Any] = field(default_factory=dict)

    def ratio(self, comparison: Comparison) -> Ratio:
        """A comparison that was made."""
        return Ratio.of(self.samples[comparison.thing], *(self.samples[floor] for floor in comparison.floors))

    def print_to(self, console: Console) -> None:
        """Print the times, the ratios that no promise is about, and whether the machine was noisy."""
        print_times(console, self.title, self.samples.values())
        table = new_table("", "how many times as long", "ratio", "range")
        for each in self.comparisons:
            if each.budget is None:
                ratio = self.ratio(each)
                table.add_row(str(each), f"{ratio.value:.2f}", f"{ratio.lowest:.2f}-{ratio.highest:.2f}")
        if table.row_count:
            console.print(table)
        print_noise(console, (self.samples[floor] for floor in self.floors))

    def as_json(self) -> dict[str, Any]:
        """Every sample and every ratio."""
        return {
            "store": self.primed.as_json(),
            **self.facts,
            "measurements": measurements(self.samples.values()),
            "ratios": {
                each.thing: {"to": list(each.floors), "budget": each.budget, **asdict(self.ratio(each))}
                for each in self.comparisons
            },
        }

    def budget(self) -> list[BudgetLine]:
        """The comparisons that a promise is about."""
        return list(self._promises())

    def plot(self, folder: Path) -> list[Path]:
        """Draw a line for each thing, from its median to where 99 of 100 rounds ended."""
        count = len(self.samples)
        with figure(figsize=(9, 1.7 + 0.42 * count)) as drawn:
            axes = drawn.add_subplot()
            for place, each in enumerate(self.samples.values()):
                colour = FLOOR if each.name in self.floors else OURS
                median, late = each.median / 1000, each.percentile(99) / 1000
                axes.plot([median, late], [place, place], color=colour, alpha=0.35, linewidth=5, solid_capstyle="round")
                axes.plot(median, place, "o", color=colour, markersize=9)
                axes.annotate(
                    f"{median:.3g}" if median < 1000 else f"{median:,.0f}",
                    (median, place),
                    xytext=(-9, 0),
                    textcoords="offset points",
                    ha="right",
                    va="center",
                    color=colour,
                )
            axes.set_yticks(range(count), list(self.samples))
            axes.set_ylim(count - 0.5, -0.5)
            axes.tick_params(axis="y", length=0)
            axes.grid(visible=False, axis="y")
            times = [each.percentile(percent) / 1000 for each in self.samples.values() for percent in (50, 99)]
            milliseconds_axis(axes, "x", times, margin_below=max(1.5, (max(times) / min(times)) ** 0.12))
            axes.set_xlabel("milliseconds, on a scale of equal ratios")
            axes.set_title(self.headline)
            drawn.legend(
                handles=[
                    Line2D([], [], marker="o", linestyle="", color=OURS, label="event store"),
                    Line2D([], [], marker="o", linestyle="", color=FLOOR, label="floor: PostgreSQL without it"),
                    Line2D([], [], color="black", alpha=0.35, linewidth=5, label="median to 99th percentile"),
                ],
                loc="outside lower right",
                ncols=3,
                fontsize=10,
            )
            return save(drawn, folder, self.name)

    def _promises(self) -> Iterator[BudgetLine]:
        for each in self.comparisons:
            if each.budget is not None:
                ratio = self.ratio(each)
                yield BudgetLine(str(each), ratio.value, ratio.lowest, ratio.highest, each.budget)
