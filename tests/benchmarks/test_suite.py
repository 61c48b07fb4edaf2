"""The suite runs one benchmark after the other, and adds up what they promise."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.commands import whole_suite
from benchmarks.commands.whole_suite import suite
from benchmarks.output import BudgetLine
from benchmarks.server import CannotMeasure
from benchmarks.suite import Run, run_suite
from tests.benchmarks.publishing import MACHINE


@dataclass(frozen=True, slots=True)
class Fixed:
    """A result that is known before."""

    name: str
    ratio: float

    def print_to(self, console: Console) -> None:
        console.print(f"The ratio is {self.ratio}.")

    def as_json(self) -> dict[str, Any]:
        return {"ratio": self.ratio}

    def budget(self) -> tuple[BudgetLine, ...]:
        return (BudgetLine(f"{self.name} : floor", self.ratio, self.ratio, self.ratio, 1.2),)

    def plot(self, folder: Path) -> list[Path]:
        (folder / f"{self.name}.png").touch()
        return [folder / f"{self.name}.png"]


@pytest.fixture
def paper() -> Console:
    return Console(file=StringIO(), width=80)


def printed(paper: Console) -> str:
    assert isinstance(paper.file, StringIO)
    return paper.file.getvalue()


def refuses(_console: Console, _server: str) -> Fixed:
    raise CannotMeasure("the peer is not installed")


def gives(result: Fixed) -> Run:
    return lambda _console, _server: result


def test_all_promises_stand_together_at_the_end(paper: Console, tmp_path: Path) -> None:
    benchmarks = [(name, gives(Fixed(name, ratio))) for name, ratio in (("append", 1.1), ("query", 1.3))]
    summary = run_suite(paper, "dsn", benchmarks, MACHINE, tmp_path)
    assert [(promise.what, promise.met) for promise in summary.promises] == [
        ("append : floor", True),
        ("query : floor", False),
    ]
    _, _, end = printed(paper).partition("All promises")
    assert "append : floor" in end
    assert "query : floor" in end
    assert "1 of 2 promises kept" in end
    assert {path.name for path in tmp_path.iterdir()} == {"append.json", "append.png", "query.json", "query.png"}


def test_one_that_cannot_be_measured_does_not_keep_the_others_from_it(paper: Console) -> None:
    summary = run_suite(paper, "dsn", [("peers", refuses), ("query", gives(Fixed("query", 1.0)))], MACHINE, None)
    assert summary.failed == {"peers": "the peer is not installed"}
    assert len(summary.promises) == 1
    assert printed(paper).rstrip().endswith("Not measured: peers: the peer is not installed")


def test_each_benchmark_of_the_suite_is_a_command_of_its_own() -> None:
    names = [name for name, _ in suite(1_000_000, fresh=False)]
    assert set(names) <= set(main.commands)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("run", "status"), [(gives(Fixed("query", 1.3)), 0), (refuses, 1)])
def test_the_command_fails_if_something_was_not_measured(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, status: int
) -> None:
    monkeypatch.setattr(whole_suite, "suite", lambda _events, *, fresh: (("query", run),))
    result = CliRunner().invoke(main, ["all", "--dsn", dsn, "--output", str(tmp_path)])
    assert result.exit_code == status, result.output
    assert "All promises" in result.output
    assert (tmp_path / "query.json").exists() == (status == 0)


@pytest.mark.parametrize("text", ["1,x", "", "0,1", "1,65"])
def test_numbers_of_clients_that_make_no_sense_are_refused(text: str) -> None:
    result = CliRunner().invoke(main, ["concurrency", "--writers", text])
    assert result.exit_code == 2
    assert "Invalid value for '--writers'" in result.output
