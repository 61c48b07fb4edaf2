"""Many clients at once: each does the same thing again and again until the stretch is over."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier, BrokenBarrierError
from typing import Any

Client = Callable[[], object]
"""Does its thing once. What it returns is kept for nobody."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What many clients got done within one stretch of time.

    Attributes:
        seconds: from the common start until the last client had ended.
        nanoseconds: how long each single thing took, in no order.
    """

    seconds: float
    nanoseconds: tuple[int, ...]

    @property
    def per_second(self) -> float:
        """How many things all clients together got done in a second."""
        return len(self.nanoseconds) / self.seconds

    @classmethod
    def together(cls, stretches: Sequence["Stretch"]) -> "Stretch":
        """One of several that went on at the same time."""
        return cls(
            max(each.seconds for each in stretches),
            tuple(nanoseconds for each in stretches for nanoseconds in each.nanoseconds),
        )


@dataclass(frozen=True, slots=True)
class Stretches:
    """The repetitions of one thing.

    Attributes:
        all: in order.
    """

    all: tuple[Stretch, ...]

    @property
    def rates(self) -> list[float]:
        """Things per second, of each repetition."""
        return [each.per_second for each in self.all]

    @property
    def rate(self) -> float:
        """The median of them."""
        return statistics.median(self.rates)

    def percentile(self, percent: float) -> float:
        """Milliseconds; so many per cent of all single things took at most as long."""
        ordered = sorted(nanoseconds for each in self.all for nanoseconds in each.nanoseconds)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] / 1_000_000 if ordered else math.nan

    def as_json(self) -> dict[str, Any]:
        """Rates per second, times in microseconds."""
        return {
            "per_second": self.rate,
            "per_second_of_each_repetition": self.rates,
            "done": sum(len(each.nanoseconds) for each in self.all),
            "p50": self.percentile(50) * 1000,
            "p99": self.percentile(99) * 1000,
        }


def ratio_of_rates(ours: Stretches, floor: Stretches) -> tuple[float, float, float]:
    """The ratio of the medians; the lowest and the highest of those of single repetitions."""
    each = [above / below for above, below in zip(ours.rates, floor.rates, strict=True)]
    return ours.rate / floor.rate, min(each), max(each)


def unsteady(floors: Iterable[Stretches], limit: float = 1.5) -> float | None:
    """How many times as fast the quickest repetition of a floor was as the slowest, if that is too much to trust."""
    worst = max((max(each.rates) / min(each.rates) for each in floors if min(each.rates)), default=1.0)
    return worst if worst > limit else None


def run_together(clients: Sequence[Client], seconds: float, start: Callable[[], None] = lambda: None) -> Stretch:
    """Let all clients run in threads of their own for so long, each its thing again and again.

    A client that has begun ends what it does. One that fails ends the stretch for all, and its error is raised.

    Args:
        clients: one for each thread.
        seconds: until nothing new is begun.
        start: is called when all threads stand ready; the clock starts when it returns.
    """
    line_up = Barrier(len(clients), action=start)

    def run(client: Client) -> tuple[int, list[int], int]:
        times: list[int] = []
        try:
            line_up.wait()
            began = ended = time.perf_counter_ns()
            until = began + int(seconds * 1_000_000_000)
            while ended < until and not line_up.broken:
                before = ended
                client()
                ended = time.perf_counter_ns()
                times.append(ended - before)
        except BaseException:
            line_up.abort()
            raise
        return began, times, ended

    with ThreadPoolExecutor(len(clients)) as threads:
        futures = [threads.submit(run, client) for client in clients]
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, BrokenBarrierError):
            raise error
    done = [future.result() for future in futures]
    nanoseconds = max(ended for *_, ended in done) - min(began for began, *_ in done)
    return Stretch(nanoseconds / 1_000_000_000, tuple(each for _, times, _ in done for each in times))
