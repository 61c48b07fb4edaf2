"""The table says what was measured, and judges it by the budget."""

import json
from io import StringIO

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.library_log import Library
from benchmarks.machine import Machine
from benchmarks.priming import PrimedStore
from benchmarks.sampling import Samples
from benchmarks.typical_workload import (
    APPEND,
    APPEND_BEHIND,
    APPEND_TO_LONG_STREAM,
    BARE_INSERT,
    QUERY,
    ROUND_TRIP,
    ROWS_BY_KEY,
    TYPICAL_WORKLOAD,
)

MICROSECONDS = {
    ROUND_TRIP: 200,
    ROWS_BY_KEY: 1000,
    QUERY: 1290,
    BARE_INSERT: 500,
    APPEND: 610,
    APPEND_TO_LONG_STREAM: 610,
    APPEND_BEHIND: 900,
    TYPICAL_WORKLOAD: 2185,
}
MACHINE = Machine("Abacus 3000", 2, 0.5, "18.6", {"fsync": "on"}, "3.11.7", "3.3.9")


@pytest.fixture
def samples() -> dict[str, Samples]:
    return {name: Samples(name, (median * 1000,) * 20) for name, median in MICROSECONDS.items()}


@pytest.fixture
def paper() -> Console:
    return Console(file=StringIO(), width=80)


def printed(paper: Console) -> list[str]:
    assert isinstance(paper.file, StringIO)
    return paper.file.getvalue().splitlines()


def line_of(paper: Console, start: str) -> str:
    return next(line for line in printed(paper) if line.strip().startswith(start))


def primed(events: int, seconds: float, *, reused: bool = False) -> PrimedStore:
    return PrimedStore("benchmark.events", Library.of(events), {"COPY": seconds}, reused, events)


def test_times_are_in_milliseconds_with_operations_per_second(paper: Console, samples: dict[str, Samples]) -> None:
    report.print_times(paper, "A run", samples)
    assert line_of(paper, ROWS_BY_KEY).split()[-4:] == ["1.000", "1.000", "1.000", "1,000"]


def test_a_ratio_stands_beside_its_budget(paper: Console, samples: dict[str, Samples]) -> None:
    report.print_ratios(paper, samples)
    assert line_of(paper, f"{QUERY} :").split()[-4:] == ["1.29", "1.29-1.29", "1.30", "met"]
    assert line_of(paper, f"{APPEND} :").split()[-4:] == ["1.22", "1.22-1.22", "1.20", "missed"]
    assert line_of(paper, f"{TYPICAL_WORKLOAD} :").split()[-4:] == ["1.15", "1.15-1.15", "1.15", "met"]
    assert line_of(paper, f"{APPEND_BEHIND} :").split()[-1] == "1.48-1.48"


def test_everything_fits_into_80_columns(paper: Console, samples: dict[str, Samples]) -> None:
    report.print_times(paper, "A run", samples)
    report.print_ratios(paper, samples)
    assert not any("…" in line for line in printed(paper))


def test_noise_is_told(paper: Console, samples: dict[str, Samples]) -> None:
    report.print_noise(paper, samples)
    assert printed(paper) == []
    restless = Samples(BARE_INSERT, (500_000,) * 10 + (2_000_000,) * 5)
    report.print_noise(paper, {**samples, BARE_INSERT: restless})
    assert "4.0 times" in " ".join(printed(paper))


def test_priming_is_judged_at_a_million_events_only(paper: Console) -> None:
    report.print_priming(paper, primed(320, 99.0))
    assert "budget" not in " ".join(printed(paper))
    report.print_priming(paper, primed(1_000_000, 46.0, reused=True))
    assert "Used again" in " ".join(printed(paper))
    assert "missed" in " ".join(printed(paper))


def test_the_json_holds_every_sample_and_every_verdict(samples: dict[str, Samples]) -> None:
    document = json.loads(
        json.dumps(report.as_json(MACHINE, primed(320, 1.0), samples, rounds=20, events_found=[30, 31]))
    )
    assert document["machine"]["processor"] == "Abacus 3000"
    assert document["events_per_query"] == 30.5
    assert document["measurements"][APPEND]["samples"] == [610] * 20
    assert document["ratios"][APPEND]["to"] == [BARE_INSERT]
    assert [name for name, ratio in document["ratios"].items() if ratio["met"] is False] == [APPEND]


def test_the_machine_fits_into_a_sentence() -> None:
    assert str(MACHINE) == (
        "Abacus 3000, 2 cores, load 0.5 before · PostgreSQL 18.6 (fsync=on) · Python 3.11.7, psycopg 3.3.9"
    )
