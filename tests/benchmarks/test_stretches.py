"""Many clients run at once, for as long as they should, and what they did adds up."""

import threading

import pytest

from benchmarks.stretches import Stretch, Stretches, ratio_of_rates, run_together, unsteady


def stretches(*rates: int) -> Stretches:
    """Of one second each."""
    return Stretches(tuple(Stretch(1, (1_000_000,) * rate) for rate in rates))


def test_every_call_is_counted_once() -> None:
    lock = threading.Lock()
    calls = 0

    def client() -> None:
        nonlocal calls
        with lock:
            calls += 1

    stretch = run_together([client] * 4, 0.02)
    assert len(stretch.nanoseconds) == calls
    assert stretch.seconds >= 0.02
    assert stretch.per_second == pytest.approx(calls / stretch.seconds)


def test_clients_run_at_the_same_time() -> None:
    together = threading.Barrier(3)
    have_met = threading.Event()

    def client() -> None:
        if not have_met.is_set():  # the first time: none gets on before all are there
            together.wait(10)
            have_met.set()

    run_together([client] * 3, 0.001)
    assert have_met.is_set()


def test_the_clock_starts_when_all_stand_ready() -> None:
    ready: list[str] = []
    run_together([lambda: ready.append("runs")] * 2, 0.001, lambda: ready.append("start"))
    assert ready[0] == "start"
    assert ready.count("start") == 1


def test_the_error_of_a_client_ends_it_for_all() -> None:
    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_together([broken, lambda: None], 60)


def test_what_several_processes_did_is_one_stretch() -> None:
    together = Stretch.together([Stretch(1.0, (1, 2)), Stretch(2.0, (3,)), Stretch(0, ())])
    assert together == Stretch(2.0, (1, 2, 3))
    assert together.per_second == 1.5


def test_the_rate_is_the_median_of_the_repetitions() -> None:
    assert stretches(100, 300, 200).rate == 200
    assert stretches(100).percentile(99) == 1.0


def test_a_ratio_of_rates_has_the_range_of_its_repetitions() -> None:
    assert ratio_of_rates(stretches(90, 100, 80), stretches(100, 100, 160)) == (0.9, 0.5, 1.0)


def test_a_floor_that_jumps_is_noticed() -> None:
    assert unsteady([stretches(100, 110), stretches(100, 140)]) is None
    assert unsteady([stretches(100, 110), stretches(100, 200)]) == 2.0
