"""Where a measurement was made: numbers of different machines or settings cannot be compared."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from psycopg import Connection

_SETTINGS: Final = (
    "shared_buffers",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "max_wal_size",
    "jit",
    "plan_cache_mode",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """What a number depends on.

    Attributes:
        processor: its model.
        cores: that this process may use.
        load_before: how many processes wanted to run in the minute before.
        postgresql: its version.
        settings: of the session, as `SHOW` prints them.
        python, psycopg: versions.
    """

    processor: str
    cores: int
    load_before: float
    postgresql: str
    settings: dict[str, str]
    python: str
    psycopg: str

    @classmethod
    def behind(cls, connection: Connection[Any]) -> "Machine":
        """This machine, and the server at the other end."""
        rows = connection.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) name", [list(_SETTINGS)]
        ).fetchall()
        return cls(
            processor=_processor(),
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            load_before=round(os.getloadavg()[0], 2),
            postgresql=connection.info.parameter_status("server_version") or "unknown",
            settings=dict(rows),
            python=platform.python_version(),
            psycopg=version("psycopg"),
        )

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return (
            f"{self.processor}, {self.cores} cores, load {self.load_before} before · PostgreSQL {self.postgresql}"
            f" ({settings}) · Python {self.python}, psycopg {self.psycopg}"
        )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
