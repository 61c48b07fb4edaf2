"""A replay reads all there is, in a process whose memory is its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from rich.console import Console

from benchmarks.machine import Machine
from benchmarks.output import publish
from benchmarks.priming import prime
from benchmarks.replay import in_own_process, measure
from benchmarks.replay_process import STEP, WAYS, peak_memory
from benchmarks.replay_result import CURSOR, STREAM, Replay, ReplayResult
from benchmarks.server import CannotMeasure
from eventstore import SequencedEvent
from eventstore.postgres.pool import Pool

MACHINE = Machine("Abacus 3000", 2, 0.5, "18.6", {"fsync": "on"}, "3.11.7", "3.3.9")


def test_both_ways_read_the_same_events_in_the_same_order(own_pool: Pool, dsn: str, schema: str) -> None:
    primed = prime(dsn, 320, schema=schema)
    through_the_store = list(WAYS["stream"](own_pool, primed.table))
    by_cursor = list(WAYS["cursor"](own_pool, primed.table))
    assert len(through_the_store) == 320
    assert by_cursor == [
        (
            event.sequence_number,
            event.event_id,
            event.event_type,
            event.occurred_at.replace(tzinfo=None),
            event.payload.decode(),
            event.metadata.decode(),
        )
        for event in through_the_store
        if isinstance(event, SequencedEvent)
    ]


def test_every_replay_is_counted_and_progress_adds_up(dsn: str, schema: str) -> None:
    events = 2 * STEP + 16
    primed = prime(dsn, events, schema=schema)
    told: list[int] = []
    result = measure(dsn, primed, 2, told.append)
    assert sum(told) == 2 * len(WAYS) * events
    assert len(told) == 2 * len(WAYS) * 3
    assert [replay.events for replay in (*result.stream, *result.cursor)] == [events] * 4
    assert all(replay.megabytes >= replay.megabytes_before > 1 for replay in (*result.stream, *result.cursor))


def test_the_memory_of_this_process_does_not_count(dsn: str, schema: str) -> None:
    primed = prime(dsn, 320, schema=schema)
    large = b"x" * 300_000_000
    assert peak_memory() > 300
    assert in_own_process("stream", dsn, primed.table, lambda _: None).megabytes < 200
    del large


def test_what_goes_wrong_in_the_process_is_told_in_one_line(dsn: str, schema: str) -> None:
    with pytest.raises(CannotMeasure, match="SchemaMissing") as told:
        in_own_process("stream", dsn, f"{schema}.events", lambda _: None)
    assert "\n" not in str(told.value)


def children_of(parent: int) -> list[Path]:
    """The processes that a process has started."""
    children: list[Path] = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if int((process / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                children.append(process)
    return children


def test_whoever_is_stopped_leaves_no_replay_behind(dsn: str, schemas: Callable[[], str]) -> None:
    schema = schemas()
    primed = prime(dsn, 320, schema=schema)
    program = (
        "import sys, signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(143));"
        "from benchmarks.replay import in_own_process;"
        f"in_own_process('stream', {dsn!r}, {primed.table!r}, print)"
    )
    with psycopg.connect(dsn) as holding:
        holding.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(Identifier(schema, "events")))
        process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": "."})
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        with psycopg.connect(dsn, autocommit=True) as watching:
            while watching.execute(waiting, [primed.table]).fetchone() == (0,):
                assert process.poll() is None
                time.sleep(0.02)
            [child] = children_of(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 143
            assert not child.exists()
        holding.rollback()


@pytest.fixture
def result(dsn: str, schema: str) -> ReplayResult:
    def replays(*seconds: float) -> list[Replay]:
        return [Replay(320, each, 38.0, 45.0 + each) for each in seconds]

    return ReplayResult(replays(1, 2, 3), replays(0.5, 1, 1), prime(dsn, 320, schema=schema))


def test_the_table_fits_and_the_files_hold_every_replay(result: ReplayResult, tmp_path: Path) -> None:
    paper = Console(file=StringIO(), width=80)
    publish(paper, result, MACHINE, tmp_path)
    assert isinstance(paper.file, StringIO)
    text = paper.file.getvalue()
    assert "…" not in text
    rows = {line.strip()[: len(name)]: line for line in text.splitlines() for name in (STREAM, CURSOR) if name in line}
    assert rows[STREAM].split()[-4:] == ["160", "107-320", "2.00", "48"]
    assert "2.00 times as long (2.00-3.00)" in text
    assert "noisy" in text
    document = json.loads((tmp_path / "replay.json").read_text(encoding="utf-8"))
    assert [each["seconds"] for each in document["replays"]["cursor"]] == [0.5, 1, 1]
    assert (tmp_path / "replay.png").read_bytes().startswith(b"\x89PNG")


def test_memory_is_judged_by_the_worst_replay(result: ReplayResult) -> None:
    [line] = result.budget()
    assert (line.ratio, line.lowest, line.met) == (48.0, 46.0, True)
