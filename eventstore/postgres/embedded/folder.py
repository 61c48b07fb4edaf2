"""The data folder of the embedded server: what lies where, and whose it is.

```
<data>/embedded-postgres.txt   marks the folder as ours
<data>/lock                    locked by the app while its server runs; holds the app's process id
<data>/processes.lock          locked by the server itself: free only when the last of its processes is gone
<data>/server.log              what initdb and the server say; server.log.1 is the one before
<data>/cluster                 PostgreSQL's own folder; a link if the server's OS user cannot enter <data>
<home>/pg_hba.conf, pg_ident.conf, socket/       <home> is the folder in which the cluster really lies
```
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.programs import STATE, ServerUser, can_enter, state_folder

MARKER = "embedded-postgres.txt"
MARKER_TEXT = """\
The data of a private PostgreSQL server (eventstore.postgres.embedded) live here. Stop the app before you copy the
folder. Deleting it deletes the data.
"""
LONGEST_SOCKET_PATH = 103
"""In bytes: what a socket address can hold on every system (Linux: 107)."""


def claim(data: Path) -> None:
    """Make the folder, or make sure that it is ours or empty.

    Root's folder can be passed through by others, so that the server's user reaches the cluster; not be listed.
    """
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            data.chmod(0o711)
    except FileExistsError:
        if not data.is_dir():
            raise EmbeddedServerError(f"{data} is not a folder") from None
    if not (data / MARKER).exists():
        if any(data.iterdir()):
            raise EmbeddedServerError(
                f"{data} holds files that are not ours ({MARKER} is missing); choose an empty or a new folder"
            )
        (data / MARKER).write_text(MARKER_TEXT)


def open_own(path: Path, flags: int) -> int:
    """Open one of our files, made if missing; never through a link that somebody else may have put there."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def lock(path: Path) -> int | None:
    """An open file that holds the lock of `path`, or None if another process has it.

    The lock belongs to the open file: processes that inherit it share it, and when the last of them ends, by whatever
    death, it is free.
    """
    descriptor = open_own(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def lock_for_this_app(data: Path) -> int:
    """The lock that makes this process the only one to run a server on `data`."""
    descriptor = lock(data / "lock")
    if descriptor is None:
        holder = (data / "lock").read_text().strip() or "unknown"
        raise EmbeddedServerError(f"another app (process {holder}) runs its server on {data}")
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def unlock(descriptor: int) -> None:
    """Free the lock, also from the hands of forked children that inherited the open file."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def new_log(data: Path) -> int:
    """A new server.log, opened for writing; the one before stays as server.log.1."""
    log = data / "server.log"
    if log.exists():
        log.replace(data / "server.log.1")
    return open_own(log, os.O_WRONLY | os.O_APPEND)


def cluster_folder(data: Path, user: ServerUser) -> Path:
    """Where the cluster lies, or shall lie: in `data`, unless `user` cannot enter it (then only root comes here)."""
    cluster = data / "cluster"
    if cluster.is_symlink():
        if not (real := cluster.resolve()).parent.is_dir():
            raise EmbeddedServerError(f"{cluster} leads to {real}, which is gone; delete {data} to begin anew")
        return real
    if cluster.exists() or can_enter(data, user):
        return cluster.resolve()
    home = Path(tempfile.mkdtemp(prefix="data-", dir=state_folder()))
    home.chmod(0o711)
    cluster.symlink_to(home / "cluster")
    return home / "cluster"


def remove(data: Path) -> None:
    """Delete the folder, and the cluster if it lies elsewhere."""
    home = (data / "cluster").resolve().parent
    shutil.rmtree(data, ignore_errors=True)
    if home.parent == STATE:
        shutil.rmtree(home, ignore_errors=True)


def make_private(folder: Path, user: ServerUser, mode: int = 0o700) -> None:
    """Make `folder` for `user`; one that is there already must be ours."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), user.uid}:
            raise EmbeddedServerError(f"{folder} exists and belongs to somebody else") from None
    if user.switch:
        os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    folder.chmod(mode)


def make_socket_folder(cluster: Path, user: ServerUser, port: int, *, shared: bool) -> Path:
    """A private folder for the socket beside the cluster, or below /tmp if that path would be too long.

    The name below /tmp depends on the cluster only: a connection string outlives a restart, and a killed app leaves
    no trail of folders. `shared`: other OS users are to connect, so they must get through (not list) it.
    """
    folder = cluster.parent / "socket"
    # libpq would read a comma as the start of a second host.
    if shared or len(os.fsencode(folder / f".s.PGSQL.{port}")) > LONGEST_SOCKET_PATH or "," in str(folder):
        digest = hashlib.sha256(os.fsencode(cluster)).hexdigest()[:12]
        folder = Path("/tmp", f"eventstore-{user.uid}-{digest}")  # noqa: S108 - make_private refuses a foreign one
    make_private(folder, user, 0o711 if shared else 0o700)
    for left_over in folder.glob(".s.PGSQL.*"):  # a killed server's; PostgreSQL may take their process id for alive
        left_over.unlink()
    return folder


def write_access_rules(home: Path, os_users: Iterable[str]) -> tuple[Path, Path]:
    """Who may connect: the named OS users as role `postgres`, by what the kernel says; any other role by password.

    Written anew at each start, and outside the cluster: root does not write where the server's user may plant links.

    Returns:
        The paths of pg_hba.conf and pg_ident.conf.
    """
    lines: list[str] = []
    for name in dict.fromkeys(os_users):
        try:
            lines.append(f'embedded "{pwd.getpwnam(name).pw_name}" postgres\n')
        except KeyError as error:
            raise EmbeddedServerError(f"there is no OS user {name!r}") from error
    rules, names = home / "pg_hba.conf", home / "pg_ident.conf"
    rules.write_text(
        "local all         postgres peer map=embedded\n"
        "local replication postgres peer map=embedded\n"
        "local all         all      scram-sha-256\n"
        "host  all         all      127.0.0.1/32 scram-sha-256\n"
        "host  replication all      127.0.0.1/32 scram-sha-256\n"
    )
    names.write_text("".join(lines))
    for path in (rules, names):
        path.chmod(0o644 if os.geteuid() == 0 else 0o600)
    return rules, names


def live_postmaster(cluster: Path) -> int | None:
    """The process id of the server that runs on `cluster`, if one does.

    A killed server leaves its postmaster.pid behind, and the number in it may be another process's by now.
    """
    pid = _noted_pid(cluster)
    if pid is None:
        return None
    process = Path("/proc", str(pid))
    try:
        program, *arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    ours = arguments[:2] == [b"-D", os.fsencode(cluster)]
    return pid if ours and os.path.basename(program) == b"postgres" else None  # noqa: PTH119 - bytes


def end_earlier_server(data: Path, cluster: Path) -> int:
    """Stop what a killed app left behind on this folder: a server, the last of its children, or an initdb.

    Returns:
        The open `processes.lock`, to be handed to the next server.
    """
    for request, seconds in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        if (pid := live_postmaster(cluster)) is not None:
            os.kill(pid, request)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if live_postmaster(cluster) is None and (descriptor := lock(data / "processes.lock")) is not None:
                _drop_stale_pid(cluster)
                return descriptor
            time.sleep(0.02)
    raise EmbeddedServerError(f"processes of an earlier server still use {cluster}")


def wait_until_unused(data: Path, seconds: float) -> None:
    """Wait for the end of the last process of the server."""
    deadline = time.monotonic() + seconds
    while (descriptor := lock(data / "processes.lock")) is None:
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"processes of the killed server still use {data}")
        time.sleep(0.01)
    os.close(descriptor)


def _noted_pid(cluster: Path) -> int | None:
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _drop_stale_pid(cluster: Path) -> None:
    """PostgreSQL ignores a postmaster.pid whose process is gone, but refuses to start if it is another's by now."""
    pid = _noted_pid(cluster)
    if pid is None:
        return
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return
    except PermissionError:
        pass
    (cluster / "postmaster.pid").unlink()
