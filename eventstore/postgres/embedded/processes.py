"""The processes of the server: who runs them, how they start, and how they end.

PostgreSQL refuses to run as root. A root caller (a container, mostly) therefore runs it as `postgres` or `nobody`.
"""

import contextlib
import os
import pwd
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.locks import lock, within

UNPRIVILEGED: Final = ("postgres", "nobody")
"""The OS users that run a root caller's server: the first, or if there is none, the second."""
WHERE_IT_IS: Final = "/proc/self/cwd"
"""The folder in which a process is, by a name that holds where no path to it does."""
REQUESTS: Final = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""How an earlier server is told to end, ever more urgently, and how many seconds it has each time."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The OS user that runs the server. `switch`: it is not the calling user, who is root, so programs change to it."""

    name: str
    uid: int
    gid: int
    switch: bool


def server_user(cluster: Path, caller: int) -> ServerUser:
    """The calling user (by number); for root, the owner of an existing `cluster`, else `postgres`, else `nobody`.

    Raises:
        EmbeddedServerError: the user has no name. PostgreSQL's peer authentication compares names.
    """
    uid = cluster.stat().st_uid if caller == 0 and cluster.exists() else caller
    try:
        entry = pwd.getpwuid(uid) if uid != 0 else _unprivileged()
    except KeyError as error:
        raise EmbeddedServerError(f"no OS user to run PostgreSQL as: {error.args[0]}") from error
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=caller == 0)


def _unprivileged() -> pwd.struct_passwd:
    preferred, fallback = UNPRIVILEGED
    try:
        return pwd.getpwnam(preferred)
    except KeyError:
        return pwd.getpwnam(fallback)


def spawn(
    command: Sequence[str | Path],
    user: ServerUser,
    *,
    within_folder: Path = Path("/"),
    output: int = subprocess.DEVNULL,
    keep: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a program as `user`, with the open files `keep` in its hands, away from the caller's terminal and settings.

    A session of its own keeps Ctrl-C from reaching the server before the app has finished with it; PG* variables that
    are meant for the caller's own connections would change what the programs do.
    """
    return subprocess.Popen(  # noqa: S603 - the commands are ours # nosec B603
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=within_folder,  # entered before the change of user
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
        pass_fds=keep,
        start_new_session=True,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
        extra_groups=[] if user.switch else None,
    )


def spawn_on(
    cluster: Path, program: Path, arguments: Sequence[str], user: ServerUser, *, output: int, keep: int
) -> "subprocess.Popen[bytes]":
    """Start one of PostgreSQL's programs on the folder `cluster`, which is `user`'s own, wherever it lies.

    Root's data mostly lie where the server's user cannot enter. Nothing is opened up for that user: root leads the
    program into the folder, and PostgreSQL's processes, which never leave it, are told that it is where they are.
    """
    command: list[str | Path] = [program, "-D", WHERE_IT_IS if user.switch else cluster, *arguments]
    return spawn(command, user, within_folder=cluster, output=output, keep=[keep])


def live_postmaster(cluster: Path) -> int | None:
    """The process id of the server that runs on `cluster`, if one does.

    A killed server leaves its postmaster.pid behind, and the number in it may be another process's by now.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = Path("/proc", str(pid))
        ours = (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(cluster)
    except (OSError, ValueError):
        return None
    return pid if ours else None


def end_earlier_server(cluster: Path, lock_file: Path, requests: Sequence[tuple[signal.Signals, float]]) -> int:
    """Stop what a killed app left behind on this cluster: a server, the last of its children, or an initdb.

    Returns:
        The open `lock_file`, locked, to be handed to the next server.
    """

    def last_lock() -> int | None:
        return lock(lock_file) if live_postmaster(cluster) is None else None

    for request, seconds in requests:
        if (pid := live_postmaster(cluster)) is not None:
            os.kill(pid, request)
        if (descriptor := within(seconds, last_lock)) is not None:
            # PostgreSQL ignores it if its process is gone, but would not start if the number is another's by now.
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            return descriptor
    raise EmbeddedServerError(f"processes of an earlier server still use {cluster}")


def kill_with_children(postmaster: "subprocess.Popen[bytes]", lock_file: Path, seconds: float) -> None:
    """End a server with SIGKILL, and wait until the last of its processes is gone."""
    # Stopped first, so that it starts no more children while we read who they are. Without its postmaster a
    # child would end by itself, but a busy one only after its statement.
    postmaster.send_signal(signal.SIGSTOP)
    children = Path(f"/proc/{postmaster.pid}/task/{postmaster.pid}/children")
    orphans = [int(child) for child in children.read_text().split()] if children.exists() else []
    postmaster.kill()
    postmaster.wait()
    for orphan in orphans:
        with contextlib.suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    if (descriptor := within(seconds, lambda: lock(lock_file))) is None:
        raise EmbeddedServerError(f"processes of the killed server still hold {lock_file}")
    os.close(descriptor)
