"""What many tests of the store need beside a table of their own."""

from collections.abc import Generator

import pytest


@pytest.fixture
def own_dsn(dsn: str) -> Generator[str]:
    """How to connect to a database of one's own, which is empty at first."""
    # Not before: the contract comes with it, which takes its settings from Hypothesis' profile when it is imported.
    from tests.eventstore.databases import new_database  # noqa: PLC0415

    with new_database(dsn) as own:
        yield own
