"""The append that the seed prints, beside ours, by writers who want the same: how fast, and how often it is wrong."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from rich.console import Console

from benchmarks import plots
from benchmarks.output import BudgetLine, new_table
from benchmarks.races import PRIZES, Race, Races, run_race
from eventstore.testing.twins import OURS

WRITERS: Final = (2, 4, 8, 16)
SEED: Final = "cte-guard"
_CONTENDERS: Final = (SEED, OURS)
_WORDS: Final = {SEED: "the seed's statement", OURS: "ours"}
_COLOURS: Final = {SEED: plots.SEED, OURS: plots.OURS}


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Attributes:
        writers: how many at once, each number in turn.
        repetitions: races of each kind and number.
        decisions: of all writers of a race together.
    """

    writers: tuple[int, ...] = WRITERS
    repetitions: int = 5
    decisions: int = 600

    @property
    def races(self) -> int:
        """How many there are in all."""
        return len(_CONTENDERS) * len(self.writers) * self.repetitions


def measure(dsn: str, plan: Plan, on_race: Callable[[], object] = lambda: None) -> "RaceResult":
    """Let both race with the same choices, by turns, each time on an empty store, and judge every log.

    Args:
        dsn: the server.
        plan: what is measured.
        on_race: is called after each race.
    """
    shuffling = random.Random()
    races: dict[tuple[str, int], list[Race]] = {(name, count): [] for name in _CONTENDERS for count in plan.writers}
    for _ in range(plan.repetitions):
        for count in shuffling.sample(plan.writers, len(plan.writers)):
            seed = shuffling.randrange(1_000_000)
            for name in shuffling.sample(_CONTENDERS, len(_CONTENDERS)):
                races[name, count].append(run_race(dsn, name, count, plan.decisions, seed))
                on_race()
    return RaceResult({key: Races(tuple(each)) for key, each in races.items()})


@dataclass(frozen=True, slots=True)
class RaceResult:
    """The result.

    Attributes:
        races: by contender and number of writers.
    """

    races: dict[tuple[str, int], Races] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """See `Result`."""
        return "race"

    @property
    def writers(self) -> list[int]:
        """How many at once, ascending."""
        return sorted({count for _, count in self.races})

    def print_to(self, console: Console) -> None:
        """See `Result`."""
        table = new_table(
            f"Writers want the same {PRIZES} prizes: each queries, decides and appends, again and\nagain;"
            " per second. A guard is lost if the event overlooks another one.",
            "writers",
            "append",
            "accepted",
            "right",
            "refused",
            "lost guards",
        )
        for count in self.writers:
            for contender in _CONTENDERS:
                races = self.races[contender, count]
                colour = "red" if races.lost_guards else "green"
                table.add_row(
                    str(count),
                    _WORDS[contender],
                    f"{races.accepted.rate:,.0f}",
                    f"{races.right_per_second:,.0f}",
                    f"{races.refused_share:.0%}",
                    f"[{colour}]{races.lost_guards:,}[/] of {races.accepted_in_all:,}",
                )
        console.print(table)

    def as_json(self) -> dict[str, Any]:
        """See `Result`."""
        return {
            "prizes": PRIZES,
            "races": {
                contender: {str(count): self.races[contender, count].as_json() for count in self.writers}
                for contender in _CONTENDERS
            },
        }

    def budget(self) -> Sequence[BudgetLine]:
        """See `Result`: not one guard of ours may be lost, in any race."""
        lost = [len(race.report.lost_guards) for count in self.writers for race in self.races[OURS, count].all]
        return (BudgetLine("lost guards of ours", sum(lost), min(lost), max(lost), 0),)

    def plot(self, folder: Path) -> list[Path]:
        """See `Result`."""
        with plots.figure(figsize=(10.5, 4.8)) as drawn:
            rate, lost = drawn.subplots(1, 2)
            for place, contender in enumerate(_CONTENDERS):
                all_races = [self.races[contender, count] for count in self.writers]
                look = {"color": _COLOURS[contender], "width": 0.38, "label": _WORDS[contender]}
                places = [number + 0.4 * (place - 0.5) for number in range(len(self.writers))]
                right = rate.bar(places, [each.right_per_second for each in all_races], **look)
                wrong = [each.accepted.rate - each.right_per_second for each in all_races]
                if any(wrong):
                    bottom = [each.right_per_second for each in all_races]
                    rate.bar(
                        places,
                        wrong,
                        bottom=bottom,
                        width=0.38,
                        facecolor="white",
                        edgecolor=_COLOURS[contender],
                        hatch="////",
                        label="accepted although the guard was lost",
                    )
                else:
                    rate.bar_label(right, fmt="{:,.0f}", padding=2, fontsize=9)
                bars = lost.bar(places, [each.lost_share * 100 for each in all_races], **look)
                lost.bar_label(bars, [f"{each.lost_share:.0%}" if each.lost_guards else "0" for each in all_races])
            rate.set(title="Accepted appends", ylabel="per second")
            lost.set(title="Lost guards", ylabel="per cent of the accepted appends")
            for axes in (rate, lost):
                self._axis_of_writers(axes)
            drawn.legend(*rate.get_legend_handles_labels(), loc="outside lower center", ncols=3)
            return plots.save(drawn, folder, self.name)

    def _axis_of_writers(self, axes: Axes) -> None:
        axes.set_xlabel("writers at once")
        axes.set_xticks(range(len(self.writers)), [str(count) for count in self.writers])
        axes.grid(visible=False, axis="x")
        axes.margins(y=0.1)
