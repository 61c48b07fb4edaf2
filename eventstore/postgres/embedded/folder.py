"""The folders of the embedded server: what lies where, and whose it is.

```
<data>                         closed to everybody else
<data>/embedded-postgres.txt   marks the folder as ours
<data>/lock                    locked by the app while its server runs; holds the app's process id
<data>/processes.lock          locked by the server itself: free only when the last of its processes is gone
<data>/server.log              what initdb and the server say; server.log.1 is the one before
<data>/cluster                 PostgreSQL's own folder; belongs to the OS user that runs the server
/tmp/eventstore-…              the folder of the socket, while the server runs
```
"""

import contextlib
import hashlib
import os
import pwd
from collections.abc import Iterable
from pathlib import Path

from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.locks import lock, open_own
from eventstore.postgres.embedded.processes import ServerUser

MARKER = "embedded-postgres.txt"
MARKER_TEXT = """\
The data of a private PostgreSQL server (eventstore.postgres.embedded) live here. Stop the app before you copy the
folder. Deleting it deletes the data.
"""
ACCESS_RULES = """\
local all         postgres peer map=embedded
local replication postgres peer map=embedded
local all         all      scram-sha-256
host  all         all      127.0.0.1/32 scram-sha-256
host  replication all      127.0.0.1/32 scram-sha-256
"""


def claim(data: Path) -> None:
    """Make the folder, or make sure that it is ours or empty, and close it to others."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        data.mkdir(mode=0o700)
    if not (data / MARKER).exists():
        if any(data.iterdir()):
            raise EmbeddedServerError(
                f"{data} holds files that are not ours ({MARKER} is missing); choose an empty or a new folder"
            )
        (data / MARKER).write_text(MARKER_TEXT)
    with contextlib.suppress(PermissionError):  # somebody else's, who lets the caller write there
        data.chmod(0o700)


def lock_for_this_app(data: Path) -> int:
    """The lock that makes this process the only one to run a server on `data`."""
    descriptor = lock(data / "lock")
    if descriptor is None:
        holder = (data / "lock").read_text().strip() or "unknown"
        raise EmbeddedServerError(f"another app (process {holder}) runs its server on {data}")
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor


def new_log(data: Path) -> int:
    """A new server.log, opened for writing; the one before stays as server.log.1."""
    log = data / "server.log"
    with contextlib.suppress(FileNotFoundError):
        log.replace(data / "server.log.1")
    return open_own(log, os.O_WRONLY | os.O_APPEND)


def make_private(folder: Path, user: ServerUser, mode: int = 0o700) -> None:
    """Make `folder` for `user`; one that is there already must be ours."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    # Opened once: its owner could put something else into its place between the check and the changes.
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(opened).st_uid not in {os.geteuid(), user.uid}:
            raise EmbeddedServerError(f"{folder} exists and belongs to somebody else")
        os.fchown(opened, user.uid, -1)
        os.fchmod(opened, mode)
    finally:
        os.close(opened)


def make_socket_folder(cluster: Path, user: ServerUser, *, shared: bool) -> Path:
    """A private folder for the socket, where every path is short enough and the server's user can get.

    Its name depends on the cluster only: a connection string outlives a restart, and a killed app leaves no trail of
    folders. `shared`: other OS users are to connect, so they must get through (not list) it.
    """
    digest = hashlib.sha256(os.fsencode(cluster.resolve())).hexdigest()[:12]
    folder = Path("/tmp", f"eventstore-{user.uid}-{digest}")  # noqa: S108 - make_private refuses a foreign one # nosec B108
    make_private(folder, user, 0o711 if shared else 0o700)
    for left_over in folder.glob(".s.PGSQL.*"):  # a killed server's; PostgreSQL may take their process id for alive
        left_over.unlink()
    return folder


def write_access_rules(cluster: Path, user: ServerUser, os_users: Iterable[str]) -> None:
    """Who may connect: the named OS users as role `postgres`, by what the kernel says; any other role by password.

    Written anew at each start, since a standby gets them from its primary.
    """
    names: list[str] = []
    for name in dict.fromkeys(os_users):
        try:
            names.append(f'embedded "{pwd.getpwnam(name).pw_name}" postgres\n')
        except KeyError as error:
            raise EmbeddedServerError(f"there is no OS user {name!r}") from error
    _write_anew(cluster / "pg_hba.conf", user, ACCESS_RULES)
    _write_anew(cluster / "pg_ident.conf", user, "".join(names))


def _write_anew(path: Path, user: ServerUser, text: str) -> None:
    """Exclusively: root writes nothing through a link that the server's user may have put there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        os.fchown(file.fileno(), user.uid, -1)
        file.write(text)
