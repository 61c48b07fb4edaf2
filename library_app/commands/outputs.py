"""Where commands write to: a file that is whole or not there, and standard output, whose reader may go away."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import click


@contextmanager
def whole_file(path: Path) -> Generator[IO[bytes]]:
    """A file that gets its name when everything is in it and on the disk; if the block fails, nothing is left of it.

    It replaces an older file of that name, and is readable for its owner only.

    Raises:
        OSError: it cannot be written.
        click.ClickException: the name stands for something else than a file, which is left alone.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise click.ClickException(f"{path}: this is no file that could be replaced")
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as whole:
        try:
            yield whole
            whole.flush()
            os.fsync(whole.fileno())
            Path(whole.name).replace(target)
        except BaseException:
            Path(whole.name).unlink()
            raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name, too, shall outlive a power cut
    finally:
        os.close(folder)


@contextmanager
def standard_output() -> Generator[IO[bytes]]:
    """Standard output for bytes; whatever goes wrong is known at the end of the block, and not when Python ends.

    Raises:
        OSError: it cannot be written; BrokenPipeError if nobody reads it any more.
    """
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError:
        forget_output()
        raise


def forget_output() -> None:
    """Let what is still in the buffer of standard output go nowhere, instead of failing once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
