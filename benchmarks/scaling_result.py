"""What came out of measuring the same things in stores of several sizes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from rich.console import Console

from benchmarks.output import BudgetLine, measurements, new_table, print_noise
from benchmarks.plots import OURS, SECOND, figure, milliseconds_axis, save
from benchmarks.sampling import Ratio, Samples
from benchmarks.typical_workload import APPEND, BARE_INSERT, QUERY, ROWS_BY_KEY, TYPICAL_WORKLOAD

REFERENCE_SIZE: Final = 100_000
LARGEST_BUDGET: Final = 1.3
LONGEST_BUDGET: Final = 1.2

_WORKLOAD: Final = "#7a4fa3"
_LINES: Final = (
    (TYPICAL_WORKLOAD, _WORKLOAD, "-"),
    (APPEND, OURS, "-"),
    (BARE_INSERT, OURS, ":"),
    (QUERY, SECOND, "-"),
    (ROWS_BY_KEY, SECOND, ":"),
)


@dataclass(frozen=True, slots=True)
class ScalingResult:
    """How long things took, by the size of the store and by the length of the guarding stream.

    Attributes:
        sizes: by the number of events in a store, the samples by the name of the thing.
        streams: by the number of events that match the guard, the samples of the append.
        floor_of_streams: a bare INSERT into the same store.
        rounds: how often each thing was measured.
        stores: what is in them.
    """

    sizes: Mapping[int, Mapping[str, Samples]]
    streams: Mapping[int, Samples]
    floor_of_streams: Samples
    rounds: int
    stores: Sequence[dict[str, Any]]
    name: ClassVar[str] = "scaling"

    @property
    def reference(self) -> int:
        """The size that the largest is compared with."""
        return REFERENCE_SIZE if REFERENCE_SIZE in self.sizes else min(self.sizes)

    def print_to(self, console: Console) -> None:
        """Print two tables, and whether the machine was noisy."""
        title = f"Median milliseconds, {self.rounds:,} rounds"
        table = new_table(title, "events in the store", *(_short(events) for events in self.sizes))
        for name in _names(self.sizes):
            table.add_row(name, *(_milliseconds(samples[name].median) for samples in self.sizes.values()))
            table.add_row("  p99", *(_milliseconds(samples[name].percentile(99)) for samples in self.sizes.values()))
        console.print(table)
        table = new_table("Appends by the length of the guarding stream", "milliseconds", "median", "p99", "× floor")
        for length, each in self.streams.items():
            ratio = Ratio.of(each, self.floor_of_streams)
            events = "event" if length == 1 else "events"
            table.add_row(f"guarded by {length:,} {events}", *_figures(each), f"{ratio.value:.2f}")
        table.add_row("floor: bare INSERT + COMMIT", *_figures(self.floor_of_streams), "")
        console.print(table)
        floors = [samples[name] for samples in self.sizes.values() for name in (ROWS_BY_KEY, BARE_INSERT)]
        print_noise(console, [*floors, self.floor_of_streams])

    def as_json(self) -> dict[str, Any]:
        """Every sample."""
        return {
            "rounds": self.rounds,
            "stores": list(self.stores),
            "by_events_in_the_store": {
                str(events): dict(zip(samples, measurements(samples.values()).values(), strict=True))
                for events, samples in self.sizes.items()
            },
            "by_events_in_the_stream": {
                str(length): measurements([each])[each.name] for length, each in self.streams.items()
            },
            "floor_of_streams": measurements([self.floor_of_streams])[self.floor_of_streams.name],
        }

    def budget(self) -> list[BudgetLine]:
        """The appends in the largest store and on the longest stream."""
        return list(self._promises())

    def plot(self, folder: Path) -> list[Path]:
        """Draw two panels of flat lines, if all is well."""
        with figure(figsize=(11, 5.2)) as drawn:
            left, right = drawn.subplots(1, 2, sharey=True)
            for name, colour, style in _LINES:
                medians = [samples[name].median / 1000 for samples in self.sizes.values()]
                left.plot(list(self.sizes), medians, style, marker="o", color=colour, label=name)
            _count_axis(left, list(self.sizes))
            left.set_xlabel("events in the store")
            left.set_ylabel("milliseconds, median")
            left.set_title("By the size of the store")
            lengths = list(self.streams)
            medians = [each.median / 1000 for each in self.streams.values()]
            right.plot(lengths, medians, "-", marker="o", color=OURS, label=APPEND)
            right.axhline(self.floor_of_streams.median / 1000, color=OURS, linestyle=":")
            _count_axis(right, lengths)
            right.set_xlabel("events that match the guard of the append")
            right.set_title("By the length of the stream")
            everything = [each.median / 1000 for each in self._all_samples()]
            milliseconds_axis(left, "y", [min(everything) / 1.5, max(everything) * 1.5])
            drawn.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=10)
            return save(drawn, folder, self.name)

    def _promises(self) -> Iterator[BudgetLine]:
        longest, shortest = max(self.streams), min(self.streams)
        ratio = Ratio.of(self.streams[longest], self.streams[shortest])
        what = f"append on a stream of {longest:,} : of {shortest:,}"
        yield BudgetLine(what, ratio.value, ratio.lowest, ratio.highest, LONGEST_BUDGET)
        largest, reference = max(self.sizes), self.reference
        if largest > reference:
            ratio = Ratio.of(self.sizes[largest][APPEND], self.sizes[reference][APPEND])
            what = f"append at {_short(largest)} events : at {_short(reference)}"
            yield BudgetLine(what, ratio.value, ratio.lowest, ratio.highest, LARGEST_BUDGET)

    def _all_samples(self) -> Iterator[Samples]:
        for samples in self.sizes.values():
            yield from samples.values()
        yield from self.streams.values()
        yield self.floor_of_streams


def _names(sizes: Mapping[int, Mapping[str, Samples]]) -> Sequence[str]:
    return list(next(iter(sizes.values())))


def _figures(samples: Samples) -> tuple[str, str]:
    return _milliseconds(samples.median), _milliseconds(samples.percentile(99))


def _milliseconds(microseconds: float) -> str:
    return f"{microseconds / 1000:.3f}"


def _short(count: int) -> str:
    """A number of events as an axis or a heading shows it: 10 k, 1 M."""
    if count >= 1_000_000 and count % 1_000_000 == 0:
        return f"{count // 1_000_000:,} M"
    if count >= 1_000 and count % 1_000 == 0:
        return f"{count // 1_000:,} k"
    return f"{count:,}"


def _count_axis(axes: Axes, counts: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(min(counts) / 1.6, max(counts) * 1.6)
    axes.xaxis.set_major_locator(FixedLocator(counts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: _short(round(count))))
