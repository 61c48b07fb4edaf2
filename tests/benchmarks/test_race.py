"""The race counts what the oracle finds, and the rate only with what was right."""

from pathlib import Path

import psycopg
import pytest

from benchmarks.race import SEED, Plan, RaceResult, measure
from benchmarks.races import Race, Races, run_race
from benchmarks.stretches import Stretch
from eventstore.testing.oracle import LostGuard
from eventstore.testing.race import RaceReport
from eventstore.testing.twins import OURS
from tests.benchmarks.publishing import published


def race(accepted: int, lost: int) -> Race:
    """Of one second, in which half of the decisions were refused."""
    guards = [LostGuard(2, 0, 1)] * lost
    report = RaceReport(10, accepted, accepted, 0, 0, 0, guards)
    return Race(report, Stretch(1, (1_000_000,) * accepted), 2 * accepted)


def test_what_is_accepted_is_what_the_oracle_counts(dsn: str) -> None:
    done = run_race(dsn, OURS, writers=3, decisions=60)
    assert done.decisions == 60
    assert done.report.is_clean
    assert len(done.stretch.nanoseconds) == done.report.accepted > 0
    assert done.report.accepted + done.report.conflicts == done.decisions


def test_no_guard_of_ours_is_lost_and_the_seed_runs_the_same_races(dsn: str, tmp_path: Path) -> None:
    plan = Plan(writers=(2, 4), repetitions=1, decisions=60)
    ticks: list[None] = []
    result = measure(dsn, plan, lambda: ticks.append(None))
    assert len(ticks) == plan.races == 4
    [promise] = result.budget()
    assert promise.met
    printed, document = published(result, tmp_path)
    assert "the seed's statement" in printed
    assert set(document["races"]) == {SEED, OURS}
    with psycopg.connect(dsn) as connection:
        left = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'race_')").fetchall()
    assert left == []


def test_an_append_whose_guard_was_lost_is_no_success() -> None:
    races = Races((race(100, 20), race(100, 30)))
    assert races.accepted.rate == 100
    assert (races.lost_guards, races.lost_share) == (50, 0.25)
    assert races.right_per_second == 75
    assert races.refused_share == 0.5


@pytest.mark.parametrize(("lost", "met"), [(0, True), (1, False)])
def test_a_single_lost_guard_of_ours_breaks_the_promise(lost: int, met: bool) -> None:
    result = RaceResult({(SEED, 2): Races((race(10, 5),)), (OURS, 2): Races((race(10, 0), race(10, lost)))})
    assert [promise.met for promise in result.budget()] == [met]
