"""How long priming took, as a result like any other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.console import Console

from benchmarks.output import BudgetLine
from benchmarks.plots import OURS, SECOND, figure, save
from benchmarks.priming import PrimedStore

BUDGET: Final = 45.0
"""Seconds for a million events, indexes included."""
_COLOURS: Final = ("#b9b8b0", OURS, SECOND, "#7fb3a6")


def print_priming(console: Console, primed: PrimedStore) -> None:
    """Say what is in the store and what it took."""
    what = "Used again" if primed.reused else "Primed"
    phases = " · ".join(f"{name} {seconds:.1f} s" for name, seconds in primed.seconds.items())
    console.print(f"{what}: {primed.table}, primed with {primed.library.events:,} events, now {primed.size_now:,}.")
    console.print(f"Priming took {sum(primed.seconds.values()):.1f} s: {phases}")


@dataclass(frozen=True, slots=True)
class PrimingResult:
    """What loading a history took, now or in the run that did it."""

    primed: PrimedStore
    name: ClassVar[str] = "prime"

    def print_to(self, console: Console) -> None:
        """Print nothing more: what priming took was said when it ended."""

    def as_json(self) -> dict[str, Any]:
        """The seconds of each phase."""
        return {"store": self.primed.as_json()}

    def budget(self) -> list[BudgetLine]:
        """The promise, if it was a million events."""
        seconds = sum(self.primed.seconds.values())
        if self.primed.library.events != 1_000_000:
            return []
        return [BudgetLine("priming 1,000,000 events (seconds)", seconds, seconds, seconds, BUDGET)]

    def plot(self, folder: Path) -> list[Path]:
        """Draw the phases one after the other."""
        with figure(figsize=(9, 3.0)) as drawn:
            axes = drawn.add_subplot()
            began = 0.0
            for (phase, seconds), colour in zip(self.primed.seconds.items(), _COLOURS, strict=True):
                axes.barh(0, seconds, left=began, color=colour, label=f"{phase}: {seconds:.1f} s", height=0.5)
                began += seconds
            axes.set_yticks([])
            axes.set_ylim(-0.5, 0.5)
            axes.set_xlabel("seconds")
            axes.set_title(f"Priming {self.primed.library.events:,} events: {began:.1f} s")
            drawn.legend(loc="outside lower center", ncols=2, fontsize=10)
            return save(drawn, folder, self.name)
