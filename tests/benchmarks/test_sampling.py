"""The arithmetic of a run, with a clock that is told what to say."""

import random
from collections.abc import Iterator

import pytest

from benchmarks.sampling import Measured, Ratio, Samples, in_turns, noisy


class Clock:
    """Shows nanoseconds; things that are measured move it on."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def samples(*microseconds: float) -> Samples:
    return Samples("thing", tuple(round(each * 1000) for each in microseconds))


def test_only_run_is_timed() -> None:
    clock = Clock()

    def takes(nanoseconds: int) -> None:
        clock.now += nanoseconds

    thing = Measured("thing", lambda: takes(7), lambda _: takes(5_000), lambda _, __: takes(11))
    assert in_turns([thing], 3, clock=clock)["thing"].nanoseconds == (5_000, 5_000, 5_000)


def test_everything_is_measured_once_per_round_in_changing_order() -> None:
    done: list[str] = []

    def thing(name: str) -> Measured[None, None]:
        return Measured(name, lambda: None, lambda _: done.append(name), lambda _, __: None)

    rounds = iter(range(100))
    measured = in_turns(
        [thing("a"), thing("b")], 40, warm_up=10, shuffling=random.Random(1), on_round=lambda: next(rounds)
    )
    assert [len(each.nanoseconds) for each in measured.values()] == [40, 40]
    turns = [tuple(done[start : start + 2]) for start in range(0, len(done), 2)]
    assert set(turns) == {("a", "b"), ("b", "a")}
    assert next(rounds) == 50


def test_run_gets_what_prepare_made_and_check_sees_both() -> None:
    numbers: Iterator[int] = iter(range(10))
    seen: list[tuple[int, int]] = []
    thing = Measured("thing", lambda: next(numbers), lambda n: n * n, lambda n, square: seen.append((n, square)))
    in_turns([thing], 3, warm_up=1)
    assert seen == [(0, 0), (1, 1), (2, 4), (3, 9)]


def test_the_figures_of_a_thing() -> None:
    each = samples(*range(1, 101))
    assert each.median == 50.5
    assert each.mean == 50.5
    assert each.percentile(99) == 99
    assert each.percentile(100) == 100
    assert samples(500).percentile(1) == 500
    assert samples(500).per_second == 2000


@pytest.mark.parametrize(("rounds", "blocks"), [(1, 1), (3, 3), (10, 10), (25, 10), (1000, 10)])
def test_a_run_has_at_most_ten_stretches(rounds: int, blocks: int) -> None:
    assert len(samples(*[1.0] * rounds).blocks()) == blocks


def test_a_ratio_is_of_medians_and_shows_how_much_it_wavered() -> None:
    slow = samples(*[20] * 5, *[30] * 5)
    fast = samples(*[10] * 10)
    ratio = Ratio.of(slow, fast)
    assert (ratio.value, ratio.lowest, ratio.highest) == (2.5, 2.0, 3.0)


def test_a_ratio_may_be_to_a_sum() -> None:
    assert Ratio.of(samples(30), samples(10), samples(15)).value == 1.2


def test_noise_is_noticed() -> None:
    quiet = samples(*[10] * 95, *[500] * 5)
    restless = samples(*[10] * 80, *[25] * 20)
    assert noisy([quiet, restless]) == [restless]
