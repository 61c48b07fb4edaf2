"""The folder in which the workers of one server count together: made fresh at the start, removed at the end."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder when it is imported."""


@contextmanager
def shared_folder() -> Generator[None]:
    """Open it in the master, before the workers are forked. In them the end of the block removes nothing."""
    owner, folder = os.getpid(), tempfile.mkdtemp(prefix="library-app-metrics-")
    os.environ[_VARIABLE] = folder
    try:
        yield
    finally:
        if os.getpid() == owner:
            del os.environ[_VARIABLE]
            shutil.rmtree(folder)


def folder_of_all() -> str | None:
    """The folder; None in a process that counts alone."""
    return os.environ.get(_VARIABLE)


def forget_gauges_of(process: int) -> None:
    """A worker has ended: what it had open is no more. What it has counted stays."""
    folder = folder_of_all()
    if folder is not None:
        from prometheus_client import multiprocess  # noqa: PLC0415 - only once the folder is there

        multiprocess.mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
