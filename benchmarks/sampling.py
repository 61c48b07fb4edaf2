"""Measures several things in one run, in turns, so that whatever disturbs the machine disturbs them all alike."""

import math
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

P = TypeVar("P")
R = TypeVar("R")

WARM_UP_ROUNDS: Final = 50
_BLOCKS: Final = 10


@dataclass(frozen=True, slots=True)
class Measured(Generic[P, R]):
    """One thing to measure. Only `run` is timed.

    Attributes:
        name: as the table shows it.
        prepare: makes what `run` needs.
        run: does the thing once.
        check: makes sure that `run` did what it says, and leaves the store as it was found.
    """

    name: str
    prepare: Callable[[], P]
    run: Callable[[P], R]
    check: Callable[[P, R], None]


@dataclass(frozen=True, slots=True)
class Samples:
    """How long one thing took, round by round.

    Attributes:
        name: of the thing.
        nanoseconds: one number per round, in order.
    """

    name: str
    nanoseconds: tuple[int, ...]

    @property
    def median(self) -> float:
        """Microseconds; half of the rounds took longer."""
        return statistics.median(self.nanoseconds) / 1000

    @property
    def mean(self) -> float:
        """Microseconds."""
        return statistics.fmean(self.nanoseconds) / 1000

    @property
    def per_second(self) -> float:
        """How many one client gets done in a second, by the mean."""
        return 1_000_000 / self.mean

    def percentile(self, percent: float) -> float:
        """Microseconds; so many per cent of the rounds took at most as long."""
        ordered = sorted(self.nanoseconds)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] / 1000

    def blocks(self) -> list[float]:
        """The medians, in microseconds, of ten equal stretches of the run (fewer if there are not as many rounds)."""
        size = max(1, len(self.nanoseconds) // _BLOCKS)
        starts = range(0, size * min(_BLOCKS, len(self.nanoseconds)), size)
        return [statistics.median(self.nanoseconds[start : start + size]) / 1000 for start in starts]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as long one thing takes as others together.

    Attributes:
        value: of the medians of the whole run.
        lowest, highest: of the medians of its ten stretches: how far to trust the value.
    """

    value: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, numerator: Samples, *denominators: Samples) -> "Ratio":
        """Compare things that were measured in the same rounds."""
        stretches = [
            above / sum(below)
            for above, *below in zip(numerator.blocks(), *(samples.blocks() for samples in denominators), strict=True)
        ]
        whole = numerator.median / sum(samples.median for samples in denominators)
        return cls(whole, min(stretches), max(stretches))


class OnRound(Protocol):
    """Is told after each round."""

    def __call__(self) -> object: ...


def in_turns(
    things: Sequence[Measured[Any, Any]],
    rounds: int,
    *,
    warm_up: int = WARM_UP_ROUNDS,
    clock: Callable[[], int] = time.perf_counter_ns,
    shuffling: random.Random | None = None,
    on_round: OnRound = lambda: None,
) -> dict[str, Samples]:
    """Measure each thing once per round, in another random order each time.

    Args:
        things: what to measure.
        rounds: how often.
        warm_up: rounds before that, not counted: statements get prepared, caches filled.
        clock: nanoseconds.
        shuffling: decides the order.
        on_round: is called after each round, the warm-up included.

    Returns:
        The samples by name.
    """
    random_order = shuffling or random.Random()
    times: dict[str, list[int]] = {thing.name: [] for thing in things}
    for number in range(warm_up + rounds):
        for thing in random_order.sample(things, len(things)):
            nanoseconds = _once(thing, clock)
            if number >= warm_up:
                times[thing.name].append(nanoseconds)
        on_round()
    return {name: Samples(name, tuple(values)) for name, values in times.items()}


def noisy(samples: Iterable[Samples], limit: float = 2.0) -> list[Samples]:
    """Those of which one round in ten took more than `limit` times the median: the machine had other things to do."""
    return [each for each in samples if each.percentile(90) > limit * each.median]


def _once(thing: Measured[P, R], clock: Callable[[], int]) -> int:
    prepared = thing.prepare()
    run = thing.run
    began = clock()
    result = run(prepared)
    ended = clock()
    thing.check(prepared, result)
    return ended - began
