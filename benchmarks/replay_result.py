"""What came out of replaying a store through `stream` and by a plain cursor."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from rich.console import Console

from benchmarks.output import BudgetLine, new_table
from benchmarks.plots import FLOOR, OURS, SEED, figure, save
from benchmarks.priming import PrimedStore

MEMORY_BUDGET: Final = 100.0
"""Millions of bytes."""
STREAM: Final = "store.stream"
CURSOR: Final = "floor: plain cursor"


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay, in a process of its own.

    Attributes:
        events: how many were read.
        seconds: how long that took.
        megabytes_before: the most memory of the process before it began, in millions of bytes.
        megabytes: the most memory of the process.
    """

    events: int
    seconds: float
    megabytes_before: float
    megabytes: float

    @property
    def per_second(self) -> float:
        """Events in a second."""
        return self.events / self.seconds


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Replays of one store, in two ways.

    Attributes:
        stream: through the store.
        cursor: the same rows by a cursor of the server, as plain tuples: the floor.
        primed: the store.
    """

    stream: Sequence[Replay]
    cursor: Sequence[Replay]
    primed: PrimedStore
    name: ClassVar[str] = "replay"

    def print_to(self, console: Console) -> None:
        """Print how quick each way was, and what it took."""
        title = f"All {self.primed.size_now:,} events, {len(self.stream)} times"
        table = new_table(title, "", "events per second", "range", "seconds", "peak MB")
        for name, replays in self._ways():
            rates = _rates(replays)
            table.add_row(
                name,
                f"{statistics.median(rates):,.0f}",
                f"{min(rates):,.0f}-{max(rates):,.0f}",
                f"{statistics.median(each.seconds for each in replays):.2f}",
                f"{max(each.megabytes for each in replays):.0f}",
            )
        console.print(table)
        ratios = self._ratios()
        console.print(
            f"Through the store it takes {statistics.median(ratios):.2f} times as long"
            f" ({min(ratios):.2f}-{max(ratios):.2f}).",
            highlight=False,
        )
        if max(_rates(self.cursor)) > 1.5 * min(_rates(self.cursor)):
            console.print("[yellow]The machine was noisy:[/] the floor varied by more than half. Repeat it.")

    def as_json(self) -> dict[str, Any]:
        """Every replay."""
        return {
            "store": self.primed.as_json(),
            "replays": {
                way: [{**asdict(each), "per_second": each.per_second} for each in replays]
                for way, replays in (("stream", self.stream), ("cursor", self.cursor))
            },
        }

    def budget(self) -> list[BudgetLine]:
        """The memory of the process."""
        peaks = [each.megabytes for each in self.stream]
        return [
            BudgetLine("memory of a replaying process (MB)", max(peaks), min(peaks), max(peaks), MEMORY_BUDGET),
        ]

    def plot(self, folder: Path) -> list[Path]:
        """Draw how quick each way was, and the memory it took."""
        with figure(figsize=(11, 3.6)) as drawn:
            left, right = drawn.subplots(1, 2, sharey=True)
            for place, (name, replays) in enumerate(self._ways()):
                colour = FLOOR if name == CURSOR else OURS
                rates = [rate / 1000 for rate in _rates(replays)]
                _bar(left, place, statistics.median(rates), colour)
                left.plot(rates, [place] * len(rates), "|", color="black", markersize=16)
                _bar(right, place, max(each.megabytes for each in replays), colour)
                right.barh(place, replays[0].megabytes_before, color="black", alpha=0.15, height=0.55)
            left.set_yticks([0, 1], [STREAM, CURSOR])
            left.set_ylim(1.6, -0.6)
            left.set_xlabel("thousand events per second, median")
            left.set_title(f"Replaying {self.primed.size_now:,} events")
            right.axvline(MEMORY_BUDGET, color=SEED, linestyle="--", linewidth=1.5)
            right.set_xlim(0, max(MEMORY_BUDGET, *(each.megabytes for each in (*self.stream, *self.cursor))) * 1.15)
            right.set_xlabel("MB, the most that the whole process had")
            right.set_title("Memory")
            for axes in (left, right):
                axes.grid(visible=False, axis="y")
                axes.tick_params(axis="y", length=0)
            drawn.legend(
                handles=[
                    Line2D([], [], color="black", marker="|", linestyle="", markersize=12, label="each run"),
                    Patch(color="black", alpha=0.3, label="before the replay"),
                    Line2D([], [], color=SEED, linestyle="--", linewidth=1.5, label="budget"),
                ],
                loc="outside lower right",
                ncols=3,
                fontsize=10,
            )
            return save(drawn, folder, self.name)

    def _ways(self) -> tuple[tuple[str, Sequence[Replay]], ...]:
        return (STREAM, self.stream), (CURSOR, self.cursor)

    def _ratios(self) -> list[float]:
        return [ours.seconds / floor.seconds for ours, floor in zip(self.stream, self.cursor, strict=True)]


def _rates(replays: Sequence[Replay]) -> list[float]:
    return [each.per_second for each in replays]


def _bar(axes: Axes, place: int, length: float, colour: str) -> None:
    axes.barh(place, length, color=colour, height=0.55)
    axes.annotate(
        f"{length:,.0f}",
        (0, place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color="white",
        weight="bold",
    )
