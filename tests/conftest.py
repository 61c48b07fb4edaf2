"""PostgreSQL for the tests: a throw-away embedded server, a given server, or a container.

`EVENTSTORE_TEST_DSN` names a given server; `--postgres=container` starts one with testcontainers, of the image that
`EVENTSTORE_TEST_IMAGE` names. Every test gets a table name of its own, since the log cannot be truncated.

`--hypothesis-profile=thorough` looks at forty times as many examples as usual.
"""

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import Phase, settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore import EventStore, InMemoryEventStore
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from eventstore.postgres.pool import Pool
from tests.chromium import chromium
from tests.compiled_templates import CompiledTemplates

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.register_profile("no-shrinking", max_examples=100, phases=[Phase.generate], derandomize=True, deadline=None)
settings.load_profile("quick")

REQUIREMENTS = ("chromium", "pgbouncer", "docker", "mount")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", choices=("embedded", "container"), default="embedded", help="where PostgreSQL runs")
    parser.addoption(
        "--require",
        default="",
        metavar="NAMES",
        help=f"fail, not skip, when one of these is not installed (comma separated): {', '.join(REQUIREMENTS)}",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in REQUIREMENTS:
        config.addinivalue_line("markers", f"{name}: needs {name}, which Python packages cannot provide")
    unknown = _required(config) - set(REQUIREMENTS)
    if unknown:
        raise pytest.UsageError(f"--require knows {', '.join(REQUIREMENTS)}, not {', '.join(sorted(unknown))}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    required = _required(config)
    for name in REQUIREMENTS:
        marked = [item for item in items if item.get_closest_marker(name)]
        if not marked or name in required or _installed(name):
            continue
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"{name} is not installed; --require={name} makes this fail"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in _required(item.config):
        if item.get_closest_marker(name) and not _installed(name):
            pytest.fail(f"{name} is required and not installed", pytrace=False)


def _required(config: pytest.Config) -> set[str]:
    return {name for name in config.getoption("--require").split(",") if name}


def _installed(name: str) -> bool:
    if name == "chromium":
        return chromium() is not None
    if name == "docker":
        return shutil.which("dockerd") is not None or Path("/var/run/docker.sock").exists()
    if name == "mount":
        return _may_mount()
    return shutil.which(name) is not None


@functools.cache
def _may_mount() -> bool:
    """Only root may, and not in every container."""
    if os.geteuid() or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        disk = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        if subprocess.run(disk, check=False, capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_of_throwaway_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the run that leaves a throw-away server's folder or, on any folder of its own, a process of PostgreSQL.

    For that the run gets a folder of its own for what is temporary: other runs on this machine do not count.
    """
    kept = tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="tests-") as temporary, pytest.MonkeyPatch.context() as patched:
        own = Path(temporary).resolve()
        own.chmod(0o711)  # some programs that tests start run as another OS user
        patched.setenv("TMPDIR", temporary)
        patched.setattr(tempfile, "tempdir", temporary)
        yield
        assert not list(own.glob("eventstore-*"))
        assert not [pid for pid, folder in _postgres_processes() if {kept, own} & {*folder.parents}]


@pytest.fixture(scope="session", autouse=True)
def templates_are_compiled_once() -> Iterator[None]:
    """Most tests make an app of their own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        yield


def _postgres_processes() -> Iterator[tuple[int, Path]]:
    """The processes of PostgreSQL on this machine, each with the data folder that it works in."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended, or is somebody else's
            if (process / "comm").read_text() == "postgres\n":
                yield int(process.name), (process / "cwd").readlink()


@pytest.fixture(scope="session")
def dsn(pytestconfig: pytest.Config) -> Generator[str]:
    """A libpq connection string, of keys and values, of a PostgreSQL server that the tests may use freely."""
    given = os.environ.get("EVENTSTORE_TEST_DSN")
    if given:
        yield _keys_and_values(given)
    elif pytestconfig.getoption("--postgres") == "container":
        from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  # only here it is needed

        image = os.environ.get("EVENTSTORE_TEST_IMAGE") or "postgres:18"
        with PostgresContainer(image, driver=None) as container:
            yield _keys_and_values(container.get_connection_url())
    else:
        with throwaway_server() as server:
            yield server.dsn


def _keys_and_values(dsn: str) -> str:
    """Tests append further keys, which a URL would not take."""
    return make_conninfo("", **conninfo_to_dict(dsn)) if "://" in dsn else dsn


@pytest.fixture(scope="session")
def pool(dsn: str) -> Generator[Pool]:
    """A pool as applications open it."""
    with open_pool(dsn, max_size=20) as opened:
        yield opened


@pytest.fixture
def table() -> str:
    """The name of an events table that does not exist yet."""
    return f"events_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def store(pool: Pool, table: str) -> PostgresEventStore:
    """An empty event store on PostgreSQL."""
    created = PostgresEventStore(pool, table)
    created.create_schema()
    return created


@pytest.fixture(params=["memory", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[EventStore]:
    """An empty event store of each kind."""
    if request.param == "memory":
        yield InMemoryEventStore()
    else:
        yield request.getfixturevalue("store")
