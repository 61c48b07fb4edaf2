"""Every size and every length is measured in every round, each append is guarded by what its line says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.loans import storable
from benchmarks.long_streams import LongStreams
from benchmarks.machine import Machine
from benchmarks.output import publish
from benchmarks.priming import PrimedSchool, PrimedStore, prime
from benchmarks.sampling import Samples
from benchmarks.scaling import IN_EACH_STORE, measure
from benchmarks.scaling_result import ScalingResult
from benchmarks.typical_workload import APPEND
from eventstore import ConcurrencyConflict, FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from slices.codec import decode
from slices.enrollment.events import CourseCapacityChanged
from tests.benchmarks.replay import replay

MACHINE = Machine("Abacus 3000", 2, 0.5, "18.6", {"fsync": "on"}, "3.11.7", "3.3.9")
EVERYTHING = FilterBuilder().matching_any_event()


@pytest.fixture
def stores(dsn: str, schemas: Callable[[], str]) -> list[PrimedStore]:
    return [prime(dsn, 16 * copies, schema=schemas()) for copies in (10, 20)]


def test_all_stores_are_visited_in_every_round_and_hold_valid_logs(
    own_pool: Pool, stores: list[PrimedStore], school: PrimedSchool
) -> None:
    rounds: list[int] = []
    result = measure(own_pool, stores, school, 2, lambda: rounds.append(1), warm_up=1)
    assert list(result.sizes) == [160, 320]
    assert list(result.streams) == [1, 10, 100]
    everything = [each for samples in result.sizes.values() for each in samples.values()]
    assert {len(each.nanoseconds) for each in (*everything, *result.streams.values())} == {2}
    assert len({each.name for each in everything}) == 2 * len(IN_EACH_STORE)
    for primed in stores:
        log = PostgresEventStore(own_pool, primed.table).query(EVERYTHING)
        assert len(log) == primed.library.events + len(rounds) * 2 * 3  # three lendings a round, and their returns
        replay(decode(event) for event in log)
    log = PostgresEventStore(own_pool, school.table).query(EVERYTHING)
    assert len(log) == school.school.events + len(rounds) * 4
    replay(decode(event) for event in log)


def test_measuring_leaves_each_stream_as_long_as_it_was(own_pool: Pool, school: PrimedSchool) -> None:
    streams = LongStreams(own_pool, school)
    for length in school.school.courses:
        measured = streams.append("append", length)
        prepared = measured.prepare()
        measured.check(prepared, measured.run(prepared))
        assert len(PostgresEventStore(own_pool, school.table).query(school.school.stream(length))) == length


@pytest.mark.parametrize("length", [1, 10, 100])
def test_an_append_is_guarded_by_its_course_and_by_no_other(own_pool: Pool, school: PrimedSchool, length: int) -> None:
    streams = LongStreams(own_pool, school)
    store = PostgresEventStore(own_pool, school.table)
    guarded = {each: streams.append("append", each) for each in school.school.courses}
    prepared = {each: measured.prepare() for each, measured in guarded.items()}
    assert len(store.query(prepared[length].condition.filter)) == length
    store.append(storable(CourseCapacityChanged(school.school.courses[length], 101, occurred_at=datetime.now(UTC))))
    for each, measured in guarded.items():
        if each == length:
            with pytest.raises(ConcurrencyConflict):
                measured.run(prepared[each])
        else:
            measured.run(prepared[each])


def result_of(sizes: dict[int, int], streams: dict[int, int]) -> ScalingResult:
    def samples(name: str, microseconds: int) -> Samples:
        return Samples(name, (microseconds * 1000,) * 10)

    return ScalingResult(
        sizes={
            events: {name: samples(f"{name} ({events})", each) for name in IN_EACH_STORE}
            for events, each in sizes.items()
        },
        streams={length: samples(f"guarded by {length}", each) for length, each in streams.items()},
        floor_of_streams=samples("floor", 100),
        rounds=10,
        stores=[],
    )


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({10_000: 100, 100_000: 200, 1_000_000: 300}, "append at 1 M events : at 100 k"),
        ({5_000: 200, 20_000: 300}, "append at 20 k events : at 5 k"),
    ],
)
def test_the_largest_store_is_compared_with_a_hundred_thousand(sizes: dict[int, int], expected: str) -> None:
    longest, largest = result_of(sizes, {1: 100, 10: 500, 100: 110}).budget()
    assert (longest.what, longest.ratio, longest.met) == ("append on a stream of 100 : of 1", 1.1, True)
    assert (largest.what, largest.ratio, largest.met) == (expected, 1.5, False)


def test_one_size_promises_nothing_about_sizes() -> None:
    assert len(result_of({10_000: 100}, {1: 100, 10: 100}).budget()) == 1


def test_the_tables_fit_and_the_files_hold_everything(tmp_path: Path) -> None:
    paper = Console(file=StringIO(), width=80)
    sizes = {10_000: 1100, 100_000: 1200, 1_000_000: 1300, 10_000_000: 1400}
    result = result_of(sizes, dict.fromkeys((1, 10, 100, 1_000, 10_000, 100_000), 500))
    publish(paper, result, MACHINE, tmp_path)
    assert isinstance(paper.file, StringIO)
    lines = paper.file.getvalue().splitlines()
    assert "…" not in paper.file.getvalue()
    assert next(line for line in lines if "typical workload" in line).split()[-4:] == [
        "1.100",
        "1.200",
        "1.300",
        "1.400",
    ]
    document = json.loads((tmp_path / "scaling.json").read_text(encoding="utf-8"))
    assert document["by_events_in_the_store"]["10000000"][APPEND]["samples"] == [1400] * 10
    assert document["by_events_in_the_stream"]["100000"]["median"] == 500
    assert (tmp_path / "scaling.svg").exists()


@pytest.mark.parametrize("wrong", ["ten", "10000;20000", "3", "10000,99999999999"])
def test_sizes_that_are_none_are_refused(wrong: str) -> None:
    result = CliRunner().invoke(main, ["scaling", "--sizes", wrong])
    assert result.exit_code == 2
    assert "--sizes" in result.output


def test_the_command_measures_the_sizes_that_it_is_given(dsn: str) -> None:
    arguments = ["scaling", "--dsn", dsn, "--sizes", "336,320", "--longest", "100", "--rounds", "1"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "append at 336 events : at 320" in result.output
