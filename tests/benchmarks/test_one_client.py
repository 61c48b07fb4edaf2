"""The tables say what was measured, judge it by the budget, and fit; files hold everything."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from benchmarks.floors import ROUND_TRIP
from benchmarks.library_log import Library
from benchmarks.machine import Machine
from benchmarks.one_client import OneClientResult
from benchmarks.output import publish
from benchmarks.priming import PrimedStore
from benchmarks.priming_result import PrimingResult, print_priming
from benchmarks.sampling import Samples
from benchmarks.typical_workload import (
    APPEND,
    APPEND_BEHIND,
    APPEND_TO_LONG_STREAM,
    BARE_INSERT,
    COMPARISONS,
    FLOORS,
    QUERY,
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


def primed(events: int, seconds: float, *, reused: bool = False) -> PrimedStore:
    phases = {"table": 0.0, "COPY": seconds, "indexes": 0.0, "VACUUM ANALYZE": 0.0}
    return PrimedStore("benchmark.events", Library.of(events), phases, reused, events)


@pytest.fixture
def result() -> OneClientResult:
    return OneClientResult(
        name="typical-workload",
        title="A run",
        headline="What it costs",
        samples={name: Samples(name, (median * 1000,) * 20) for name, median in MICROSECONDS.items()},
        comparisons=COMPARISONS,
        floors=FLOORS,
        primed=primed(320, 1.0),
        facts={"rounds": 20},
    )


@pytest.fixture
def paper() -> Console:
    return Console(file=StringIO(), width=80)


def printed(paper: Console) -> list[str]:
    assert isinstance(paper.file, StringIO)
    return paper.file.getvalue().splitlines()


def line_of(paper: Console, start: str) -> str:
    return next(line for line in printed(paper) if line.strip().startswith(start))


def test_times_are_in_milliseconds_with_operations_per_second(paper: Console, result: OneClientResult) -> None:
    result.print_to(paper)
    assert line_of(paper, ROWS_BY_KEY).split()[-4:] == ["1.000", "1.000", "1.000", "1,000"]


def test_a_ratio_stands_beside_its_budget(paper: Console, result: OneClientResult) -> None:
    publish(paper, result, MACHINE, None)
    assert line_of(paper, f"{QUERY} :").split()[-5:] == ["1.29", "1.29-1.29", "≤", "1.30", "met"]
    assert line_of(paper, f"{APPEND} :").split()[-5:] == ["1.22", "1.22-1.22", "≤", "1.20", "missed"]
    assert line_of(paper, f"{TYPICAL_WORKLOAD} :").split()[-5:] == ["1.15", "1.15-1.15", "≤", "1.15", "met"]
    assert line_of(paper, f"{APPEND_BEHIND} :").split()[-2:] == ["1.48", "1.48-1.48"]


def test_everything_fits_into_80_columns(paper: Console, result: OneClientResult) -> None:
    publish(paper, result, MACHINE, None)
    assert not any("…" in line for line in printed(paper))
    rows = [line for line in printed(paper) if " : " in line]
    assert len(rows) == len(COMPARISONS)
    assert all(line.split()[-1] in {"met", "missed", "1.48-1.48"} for line in rows)  # none is broken over two lines


def test_noise_is_told(paper: Console, result: OneClientResult) -> None:
    result.print_to(paper)
    assert "noisy" not in " ".join(printed(paper))
    restless = Samples(BARE_INSERT, (500_000,) * 10 + (2_000_000,) * 5)
    samples = {name: Samples(name, each.nanoseconds[:15]) for name, each in result.samples.items()}
    replace(result, samples={**samples, BARE_INSERT: restless}).print_to(paper)
    assert "4.0 times" in " ".join(printed(paper))


def test_the_noise_of_what_we_do_ourselves_is_no_excuse(paper: Console, result: OneClientResult) -> None:
    restless = Samples(APPEND, (500_000,) * 15 + (2_000_000,) * 5)
    replace(result, samples={**result.samples, APPEND: restless}).print_to(paper)
    assert "noisy" not in " ".join(printed(paper))


def test_the_files_hold_every_sample_and_every_verdict(paper: Console, result: OneClientResult, tmp_path: Path) -> None:
    publish(paper, result, MACHINE, tmp_path)
    document = json.loads((tmp_path / "typical-workload.json").read_text(encoding="utf-8"))
    assert document["machine"]["processor"] == "Abacus 3000"
    assert document["rounds"] == 20
    assert document["store"]["events"] == 320
    assert document["measurements"][APPEND]["samples"] == [610] * 20
    assert document["ratios"][APPEND]["to"] == [BARE_INSERT]
    assert [line["what"] for line in document["budget"] if not line["met"]] == [f"{APPEND} : {BARE_INSERT}"]
    assert (tmp_path / "typical-workload.png").read_bytes().startswith(b"\x89PNG")
    texts = "".join(ET.parse(tmp_path / "typical-workload.svg").getroot().itertext())
    assert all(name in texts for name in MICROSECONDS)


def test_a_picture_is_the_same_whenever_it_is_drawn(result: OneClientResult, tmp_path: Path) -> None:
    first = [file.read_bytes() for file in result.plot(tmp_path)]
    assert [file.read_bytes() for file in result.plot(tmp_path)] == first


def test_priming_is_judged_at_a_million_events_only() -> None:
    assert PrimingResult(primed(320, 99.0)).budget() == []
    [line] = PrimingResult(primed(1_000_000, 46.0)).budget()
    assert (line.ratio, line.met) == (46.0, False)
    assert all(line.met for line in PrimingResult(primed(1_000_000, 44.0)).budget())


def test_a_store_that_was_there_is_not_said_to_be_new(paper: Console) -> None:
    print_priming(paper, primed(320, 1.0, reused=True))
    assert "Used again" in " ".join(printed(paper))
    assert "Primed:" not in " ".join(printed(paper))


def test_the_machine_fits_into_a_sentence() -> None:
    assert str(MACHINE) == (
        "Abacus 3000, 2 cores, load 0.5 before · PostgreSQL 18.6 (fsync=on) · Python 3.11.7, psycopg 3.3.9"
    )
