"""What many tests of the store need beside a table of their own."""

from collections.abc import Generator

import pytest

from tests.eventstore.databases import new_database


@pytest.fixture
def own_dsn(dsn: str) -> Generator[str]:
    """How to connect to a database of one's own, which is empty at first."""
    with new_database(dsn) as own:
        yield own
