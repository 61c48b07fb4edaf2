"""A place of its own for each primed store."""

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from benchmarks.priming import PrimedSchool, prime_school
from eventstore.postgres import open_pool
from eventstore.postgres.pool import Pool


@pytest.fixture
def schemas(dsn: str) -> Iterator[Callable[[], str]]:
    """Makes up names of PostgreSQL schemas that do not exist yet, and are dropped in the end."""
    names: list[str] = []

    def new_name() -> str:
        names.append(f"benchmark_{uuid.uuid4().hex[:12]}")
        return names[-1]

    yield new_name
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name in names:
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(name)))


@pytest.fixture
def schema(schemas: Callable[[], str]) -> str:
    """The name of a PostgreSQL schema that does not exist yet, and is dropped in the end."""
    return schemas()


@pytest.fixture
def own_pool(dsn: str) -> Iterator[Pool]:
    """A pool of one connection, as benchmarks of one client use it."""
    with open_pool(dsn, max_size=1) as pool:
        yield pool


@pytest.fixture
def school(dsn: str, schemas: Callable[[], str]) -> PrimedSchool:
    """A store with streams of 1, 10 and 100 events."""
    return prime_school(dsn, 100, schema=schemas())
