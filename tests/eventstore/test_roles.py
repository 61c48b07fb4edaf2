"""An application's role needs SELECT on the table and EXECUTE on the append functions, and can do nothing else."""

import uuid
from collections.abc import Generator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from eventstore import StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from tests.eventstore import guarantee_checks as checks


@pytest.fixture
def role(dsn: str) -> Generator[str]:
    """A role that may do nothing yet."""
    name = f"app_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        yield name
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def grant(dsn: str, table: str, role: str) -> None:
    names = {"table": Identifier(table), "role": Identifier(role)}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("GRANT SELECT ON {table} TO {role}").format(**names))
        for function in ("append_one", "append_batch"):
            grant = SQL("GRANT EXECUTE ON FUNCTION {} TO {role}")
            connection.execute(grant.format(Identifier(f"{table}_{function}"), **names))


def test_a_role_with_these_rights_can_read_and_append(
    dsn: str, store: PostgresEventStore, table: str, role: str
) -> None:
    grant(dsn, table, role)
    with open_pool(f"{dsn} options='-c role={role}'", max_size=8) as pool:
        application = PostgresEventStore(pool, table)
        application.check_schema()
        checks.a_newer_matching_event_is_a_conflict(application)
        application.append(checks.event(), checks.event())


@pytest.mark.parametrize(
    "forbidden",
    [
        "INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata)"
        " VALUES (gen_random_uuid(), 'X', now(), '{{}}', '{{}}')",
        "UPDATE {table} SET event_type = 'X'",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "DROP TABLE {table}",
        "SELECT nextval({sequence})",
        "SELECT setval({sequence}, 1)",
    ],
)
def test_the_same_role_can_do_nothing_else(
    dsn: str, store: PostgresEventStore, table: str, role: str, forbidden: str
) -> None:
    store.append(checks.event())
    grant(dsn, table, role)
    statement = SQL(forbidden).format(table=Identifier(table), sequence=f"{table}_sequence_number")  # pyright: ignore
    with psycopg.connect(f"{dsn} options='-c role={role}'") as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)
    assert len(store.query(checks.EVERYTHING)) == 1


def test_a_role_without_rights_can_neither_read_nor_append(
    dsn: str, store: PostgresEventStore, table: str, role: str
) -> None:
    with open_pool(f"{dsn} options='-c role={role}'", max_size=1) as pool:
        stranger = PostgresEventStore(pool, table)
        with pytest.raises(StoreUnavailable, match="permission denied"):
            stranger.append(checks.event())
        with pytest.raises(StoreUnavailable, match="permission denied"):
            stranger.query(checks.EVERYTHING)
    assert len(store.query(checks.EVERYTHING)) == 0
