"""A place of its own for each primed store."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier


@pytest.fixture
def schema(dsn: str) -> Iterator[str]:
    """The name of a PostgreSQL schema that does not exist yet, and is dropped in the end."""
    name = f"benchmark_{uuid.uuid4().hex[:12]}"
    yield name
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(name)))
