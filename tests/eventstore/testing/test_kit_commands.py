"""The commands of the race kit, as somebody types them."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator

import pytest

Finished = subprocess.CompletedProcess[str]


def run(module: str, *arguments: str) -> Finished:
    command = [sys.executable, "-m", f"eventstore.testing.{module}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_race_says_what_held(dsn: str) -> None:
    done = run("race", "--rounds", "20", "--writers", "3", "--dsn", dsn, "--seed", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "postgres: one lock, then the guard, then the number; 3 writers, seed 5"
    assert lines[1] == "  ✓ 20 prizes, each claimed by all at the same moment: every guard held"
    assert lines[2].startswith("    20 accepted, 40 refused, ")
    assert lines[3] == "  ✓ 20 decisions of each, in a free loop: every guard held"


def test_a_race_that_is_lost_exits_with_1_and_shows_the_first_lost_guards(dsn: str) -> None:
    done = run("race", "--rounds", "200", "--store", "cte-guard", "--dsn", dsn)
    assert done.returncode == 1, done.stdout
    assert "  ✗ 200 prizes, each claimed by all at the same moment: " in done.stdout
    assert "prizes with several winners" in done.stdout
    assert " was accepted although its writer, who had read up to " in done.stdout


def test_the_store_in_memory_needs_no_server() -> None:
    done = run("race", "--rounds", "5", "--store", "memory", "--dsn", "host=/nowhere")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("memory: a list and a lock; 8 writers, seed ")


def test_a_race_starts_a_server_of_its_own_and_shows_progress_on_a_terminal() -> None:
    terminal, its_end = os.openpty()
    command = [sys.executable, "-m", "eventstore.testing.race", "--rounds", "30", "--writers", "2"]
    with subprocess.Popen(command, stdout=its_end) as process:
        os.close(its_end)
        shown = "".join(lines_of(terminal))
        assert process.wait() == 0, shown
    assert "30 of 30 done, " in shown
    assert "\r\033[K  ✓ 30 prizes, each claimed by all at the same moment: every guard held" in shown


def lines_of(terminal: int) -> Generator[str]:
    with contextlib.suppress(OSError), os.fdopen(terminal, "rb", buffering=0) as opened:  # its end is an error
        while part := opened.read(4096):
            yield part.decode(errors="replace")


def test_a_schedule_that_a_store_fails_is_drawn_and_exits_with_1(dsn: str) -> None:
    done = run("schedules", "--store", "serializable", "--schedule", "three-sessions", "--dsn", dsn)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "serializable: SERIALIZABLE, the query apart",
        "  ✗ three-sessions         A reader between two writers",
        "      lost guard: C had read up to 2 and was accepted as event 3, not knowing event 1 of A",
        "      out of order: C had read up to 2, and event 1 appeared afterwards",
        "",
        "      A  reads to 0  append(0) → draws 1, held at commit ································· stores 1",
        "      B                                                   append() → stores 2",
        "      C                                                                        reads to 2"
        "            append(2) → stores 3",
        "",
        "1 of 1 failed",
    ]


def test_a_schedule_that_a_store_holds_is_drawn_if_asked_for(dsn: str) -> None:
    alone = ("--store", "postgres", "--schedule", "two-writers-in-turn", "--dsn", dsn)
    done = run("schedules", *alone)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        "  ✓ two-writers-in-turn    Two writers, the second comes too late",
        "all 1 held",
    ]
    drawn = run("schedules", *alone, "--timelines")
    assert "      A  reads to 0              append(0) → stores 1\n" in drawn.stdout


def test_all_stores_come_as_a_table_and_only_ours_decides_the_exit_status(dsn: str) -> None:
    done = run("schedules", "--schedule", "two-writers-at-commit", "--dsn", dsn)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["                      1", "postgres              ·", "cte-guard             L"]
    assert "  1  two-writers-at-commit  Two writers, one has written and not committed" in lines
    assert "    B had read up to 0 and was accepted as event 2, not knowing event 1 of A" in lines


@pytest.mark.parametrize(
    ("module", "arguments", "complaint"),
    [
        ("race", ["--rounds", "0"], "argument --rounds: must be a whole number from 1 on, not '0'"),
        ("race", ["--rounds", "many"], "argument --rounds: must be a whole number from 1 on, not 'many'"),
        ("race", ["--writers", "1"], "argument --writers: must be a whole number from 2 on, not '1'"),
        ("race", ["--store", "other"], "argument --store: invalid choice: 'other'"),
        ("schedules", ["--store", "other"], "argument --store: invalid choice: 'other'"),
        ("schedules", ["--schedule", "other"], "argument --schedule: invalid choice: 'other'"),
        ("schedules", ["--timelines"], "--timelines needs --store NAME"),
    ],
)
def test_bad_input_is_named(module: str, arguments: list[str], complaint: str) -> None:
    done = run(module, *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("module", ["race", "schedules"])
def test_a_server_that_is_not_there_is_one_line(module: str) -> None:
    done = run(module, "--dsn", "host=/nowhere connect_timeout=1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
