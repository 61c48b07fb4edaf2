"""How quickly all events of a store are read through `stream`, and how much memory that takes."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from benchmarks.priming import PrimedStore
from benchmarks.replay_process import STEP, WAYS
from benchmarks.replay_result import Replay, ReplayResult
from benchmarks.server import CannotMeasure

_COMMAND: Final = (sys.executable, "-m", "benchmarks.replay_process")


def measure(dsn: str, primed: PrimedStore, repetitions: int, on_events: Callable[[int], object]) -> ReplayResult:
    """Replay the store several times, through the store and by a plain cursor in random order.

    Args:
        dsn: the server.
        primed: the store.
        repetitions: how often, each way.
        on_events: is told how many events more have been read.
    """
    replays: dict[str, list[Replay]] = {way: [] for way in WAYS}
    for _ in range(repetitions):
        for way in random.sample(list(WAYS), len(WAYS)):
            replayed = in_own_process(way, dsn, primed.table, on_events)
            assert replayed.events == primed.size_now
            replays[way].append(replayed)
    return ReplayResult(tuple(replays["stream"]), tuple(replays["cursor"]), primed)


def in_own_process(way: str, dsn: str, table: str, on_events: Callable[[int], object]) -> Replay:
    """Replay once.

    Raises:
        CannotMeasure: with the last line that the process wrote before it gave up.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
        _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            # By standard input: a list of processes would show a password.
            process.stdin.write(json.dumps({"way": way, "dsn": dsn, "table": table}))
            process.stdin.close()
            last = ""
            for line in process.stdout:
                last = line
                if line.strip().isdigit():
                    on_events(STEP)
            errors = process.stderr.read()
        except BaseException:  # Ctrl-C, too
            process.kill()
            raise
    if process.returncode:
        raise CannotMeasure(f"the replay gave up: {(errors.strip().splitlines() or ['without a word'])[-1]}")
    replayed = Replay(**json.loads(last))
    on_events(replayed.events % STEP)
    return replayed
