"""The same events and the same decisions with a peer, in the same run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks import plots
from benchmarks.output import BudgetLine, new_table
from benchmarks.priming import PrimedStore
from benchmarks.sampling import WARM_UP_ROUNDS, Measured, OnRound, Ratio, Samples, in_turns, noisy
from benchmarks.server import CannotMeasure
from benchmarks.typical_workload import (
    APPEND,
    BARE_INSERT,
    QUERY,
    ROWS_BY_KEY,
    TYPICAL_WORKLOAD,
    TypicalWorkload,
)
from eventstore.postgres import PostgresEventStore, open_pool

_OF_PEER: Final = {name: f"{name}, peer" for name in (QUERY, APPEND, TYPICAL_WORKLOAD)}
_FLOORS: Final = {QUERY: (ROWS_BY_KEY,), APPEND: (BARE_INSERT,), TYPICAL_WORKLOAD: (ROWS_BY_KEY, BARE_INSERT)}

OnPhase = Callable[[str, int], OnRound]
"""Is told what begins and how many steps it has; what it returns is called after each of them."""


def measure(dsn: str, primed: PrimedStore, rounds: int, on_phase: OnPhase) -> "Peers":
    """Fill a peer with the very events of our store, and measure both in turns, each by one client.

    Args:
        dsn: the server of both.
        primed: our store.
        rounds: how often each thing is measured.
        on_phase: shows how far it is.

    Raises:
        CannotMeasure: the peer is not installed.
    """
    try:
        from benchmarks import peer_eventsourcing  # noqa: PLC0415 (an extra: only who compares needs it)
    except ModuleNotFoundError as missing:
        if not (missing.name or "").startswith("eventsourcing"):
            raise
        raise CannotMeasure("the peer is not installed; get it with: pip install -e '.[peers]'") from missing
    with open_pool(dsn, max_size=1) as pool:
        store = PostgresEventStore(pool, primed.table)
        workload = TypicalWorkload(pool, primed.table, primed.library)
        loading = on_phase("Copying events to the peer", primed.size_now)
        with peer_eventsourcing.peer_with_events_of(dsn, store, primed.library, loading) as peer:
            things = [*_ours(workload), *peer.things()]
            samples = in_turns(things, rounds, on_round=on_phase("Measuring", WARM_UP_ROUNDS + rounds))
    return Peers(peer_eventsourcing.NAME, primed.size_now, samples)


def _ours(workload: TypicalWorkload) -> list[Measured[Any, Any]]:
    wanted = {*_FLOORS, *(floor for floors in _FLOORS.values() for floor in floors)}
    return [thing for thing in workload.things() if thing.name in wanted]


@dataclass(frozen=True, slots=True)
class Peers:
    """The result.

    Attributes:
        peer: its name and version.
        events: in each of both stores when the measuring began.
        samples: by the name of the thing.
    """

    peer: str
    events: int
    samples: dict[str, Samples]

    @property
    def name(self) -> str:
        """See `Result`."""
        return "peers"

    @property
    def ratios(self) -> dict[str, Ratio]:
        """How many times as long the peer takes as we do."""
        return {name: Ratio.of(self.samples[of_peer], self.samples[name]) for name, of_peer in _OF_PEER.items()}

    def floor(self, name: str) -> float:
        """Microseconds that the same rows take without any store."""
        return sum(self.samples[floor].median for floor in _FLOORS[name])

    def print_to(self, console: Console) -> None:
        """See `Result`."""
        table = new_table(
            f"Ours and {self.peer}, {self.events:,} events each; median (p99) in milliseconds",
            "one client",
            "floor",
            "ours",
            "peer",
            "peer : ours",
            "range",
        )
        for name, ratio in self.ratios.items():
            ours, peer = self.samples[name], self.samples[_OF_PEER[name]]
            table.add_row(
                name,
                f"{self.floor(name) / 1000:.2f}",
                _median_and_p99(ours),
                _median_and_p99(peer),
                f"{ratio.value:.2f}",
                f"{ratio.lowest:.2f}-{ratio.highest:.2f}",
            )
        console.print(table)
        console.print(
            "Floor: the same rows by primary key, a bare INSERT + COMMIT, or both. The peer\nkeeps no event id and no"
            " metadata, and finds events by tags in a second table.",
        )
        for each in noisy([self.samples[ROWS_BY_KEY], self.samples[BARE_INSERT]]):
            console.print(
                f"[yellow]The machine was noisy:[/] of '{each.name}' one in ten took"
                f" {each.percentile(90) / each.median:.1f} times the median or more. Trust the ratios, not the times."
            )

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "peer": self.peer,
            "events": self.events,
            "measurements": {
                name: {
                    "median": each.median,
                    "mean": each.mean,
                    "p99": each.percentile(99),
                    "per_second": each.per_second,
                    "samples": [nanoseconds / 1000 for nanoseconds in each.nanoseconds],
                }
                for name, each in self.samples.items()
            },
            "peer_to_ours": {
                name: {"ratio": ratio.value, "lowest": ratio.lowest, "highest": ratio.highest}
                for name, ratio in self.ratios.items()
            },
        }

    def budget(self) -> Sequence[BudgetLine]:
        """See `Result`: we promise nothing about others."""
        return ()

    def plot(self, folder: Path) -> list[Path]:
        """See `Result`."""
        names = list(_OF_PEER)
        lines = (
            ("floor", plots.FLOOR, [self.floor(name) for name in names]),
            ("ours", plots.OURS, [self.samples[name].median for name in names]),
            (self.peer, plots.PEER, [self.samples[_OF_PEER[name]].median for name in names]),
        )
        with plots.figure() as drawn:
            axes = drawn.subplots()
            for index, (label, colour, medians) in enumerate(lines):
                places = [number + 0.28 * (index - 1) for number in range(len(names))]
                bars = axes.bar(places, [each / 1000 for each in medians], width=0.26, color=colour, label=label)
                axes.bar_label(bars, fmt="{:.2f}", padding=3, fontsize=9)
            axes.set_xticks(range(len(names)), names)
            axes.grid(visible=False, axis="x")
            axes.margins(y=0.12)
            axes.set(title=f"One client, {self.events:,} events, median", ylabel="milliseconds")
            drawn.legend(loc="outside lower center", ncols=3)
            return plots.save(drawn, folder, self.name)


def _median_and_p99(samples: Samples) -> str:
    return f"{samples.median / 1000:.2f} ({samples.percentile(99) / 1000:.2f})"
