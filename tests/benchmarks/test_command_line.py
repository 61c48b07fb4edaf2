"""`python -m benchmarks` from the outside."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.server import CannotMeasure, running_server
from eventstore.postgres.embedded.processes import live_postmaster

ROOT = Path(__file__).parents[2]


def test_a_run_prints_its_table_and_writes_its_files(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "folder"
    arguments = ["typical-workload", "--dsn", dsn, "--events", "321", "--rounds", "3", "--output", str(folder)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "typical workload" in result.output
    document = json.loads((folder / "typical-workload.json").read_text(encoding="utf-8"))
    assert len(document["measurements"]) == 8
    assert document["machine"]["cores"] >= 1
    assert {file.name for file in folder.iterdir()} == {f"typical-workload.{kind}" for kind in ("json", "png", "svg")}


@pytest.mark.parametrize(
    "arguments",
    [
        ["append", "--events", "321", "--rounds", "1"],
        ["query", "--events", "321", "--rounds", "1", "--longest", "100"],
        ["replay", "--events", "321", "--repetitions", "1"],
        ["prime", "--events", "321"],
    ],
)
def test_every_benchmark_writes_its_numbers_and_its_picture(dsn: str, tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, [*arguments, "--dsn", dsn, "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / f"{arguments[0]}.json").read_text(encoding="utf-8"))
    assert document["benchmark"] == arguments[0]
    assert document["machine"]["postgresql"]
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".png", ".svg"}


def test_without_a_folder_nothing_is_written(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["prime", "--dsn", dsn, "--events", "321"]).exit_code == 0
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_one_line(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    arguments = ["prime", "--dsn", dsn, "--events", "321", "--output", str(tmp_path / "file" / "folder")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.output


def test_priming_alone_says_what_it_did(dsn: str) -> None:
    arguments = ["prime", "--dsn", dsn, "--events", "322"]
    assert "Primed: benchmark_322.events" in CliRunner().invoke(main, [*arguments, "--fresh"]).output
    assert "Used again: benchmark_322.events" in CliRunner().invoke(main, arguments).output


@pytest.mark.parametrize("wrong", ["host=/nowhere", "host=127.0.0.1 port=1", "no connection string"])
def test_a_server_that_does_not_answer_is_one_line(wrong: str) -> None:
    result = CliRunner().invoke(main, ["prime", "--dsn", wrong, "--events", "320"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: no connection to PostgreSQL: ")
    assert result.output.count("\n") == 1


def test_two_runs_do_not_measure_each_other(dsn: str) -> None:
    with running_server(dsn), pytest.raises(CannotMeasure, match="another benchmark"), running_server(dsn):
        pass


def test_only_a_server_on_this_machine_is_measured(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "host", "db.example.com")
    monkeypatch.setattr(psycopg.ConnectionInfo, "hostaddr", "192.0.2.1")
    with pytest.raises(CannotMeasure, match=r"db\.example\.com is another machine"), running_server(dsn):
        pass


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_server_behind(tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "benchmarks", "prime", "--events", "1000000"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    cluster = tmp_path / ".data" / "benchmarks" / "cluster"
    try:
        while live_postmaster(cluster) is None:
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            time.sleep(0.05)
        time.sleep(1)  # somewhere in the middle of priming
        process.send_signal(stop)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert live_postmaster(cluster) is None
    assert process.returncode != 0
    assert b"Traceback" not in errors
