"""`library-app grant`: the role of `serve` can do all that the app does, and nothing else."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from library_app import Config
from library_app.opening import opened_app
from library_app.operations.ending import Ending
from library_app.race import RaceKind
from library_app.race.postgres import PostgresRaceLab
from tests.library_app.command_line import SECRETS, assert_says, run
from tests.library_app.library import BOOK, COPY, LEND, READER
from tests.library_app.waiting import eventually


@pytest.fixture
def role(database: str) -> Iterator[str]:
    """A role that may do nothing yet."""
    name = f"serving_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(name)))
        yield name
        connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
        connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def as_role(database: str, role: str) -> str:
    return make_conninfo(database, options=f"-c role={role}")


def test_a_role_with_the_rights_can_do_what_the_app_does(database: str, role: str, noon: datetime) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    for _ in range(2):
        assert run("grant", role, LIBRARY_DSN=database).output == f"{role} may serve.\n"
    dsn = as_role(database, role)
    assert run("seed", LIBRARY_DSN=dsn, **SECRETS).exit_code == 0
    assert run("expire-holds", LIBRARY_DSN=dsn).exit_code == 0
    with opened_app(replace(Config.read(SECRETS), dsn=dsn), Ending()) as app:
        client = app.test_client()
        for route, body in (
            ("lending/add-book-copy-to-circulation", COPY),
            ("lending/register-reader", {"ReaderID": READER, "Name": "Ann"}),
            (LEND, {"BookID": BOOK, "ReaderID": READER}),
        ):
            answer = client.post(f"/api/{route}", json=body, headers={"Idempotency-Key": route})
            assert answer.status_code == 201
        eventually(lambda: BOOK in client.get("/library/search?q=Khononov").text, "rows are kept up to date")
        for page in ("/", "/library/books", "/glass/boundary", "/glass/race/steps?steps=A.read,B.read,A.append"):
            assert client.get(page).status_code == 200
    for guarded in (True, False):
        assert PostgresRaceLab(dsn, lambda: noon).run(RaceKind.ONE_COPY, 2, guarded=guarded).racers


FORBIDDEN: tuple[LiteralString, ...] = (
    "DELETE FROM events",
    "INSERT INTO lab_events DEFAULT VALUES",
    "DELETE FROM idempotency_keys",
    "CREATE TABLE of_its_own ()",
)


def test_a_role_with_the_rights_can_do_nothing_else(database: str, role: str) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    assert run("grant", role, LIBRARY_DSN=database).exit_code == 0
    with psycopg.connect(as_role(database, role), autocommit=True) as connection:
        for statement in FORBIDDEN:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)


def test_rights_are_granted_to_a_role_that_exists_and_on_tables_that_exist(database: str, role: str) -> None:
    assert_says(run("grant", role, LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    assert_says(run("grant", "nobody we know", LIBRARY_DSN=database), "nobody we know: there is no such role")
