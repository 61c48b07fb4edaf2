"""Every test here starts PostgreSQL for real, most on one shared data folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventstore.postgres.embedded import EmbeddedServer
from tests.eventstore.postgres.embedded.servers import QUICK


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for many tests, since a start takes a third of the time that initdb does.

    Root's server user cannot enter it, as pytest closes what is above.
    """
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest.fixture
def stopped(data: Path) -> Path:
    """The data folder of a server that was stopped."""
    with EmbeddedServer.start(data, options=QUICK):
        pass
    return data


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every OS user can pass through."""
    with tempfile.TemporaryDirectory(prefix="open-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)
