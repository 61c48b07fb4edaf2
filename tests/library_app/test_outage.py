"""While the database is away the app says so, soon, on pages and to programs, and goes on by itself when it is back."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from psycopg.conninfo import conninfo_to_dict

from library_app.cli import main
from library_app.config import Config
from library_app.opening import impatient, opened_app
from library_app.operations.ending import Ending
from tests.library_app.library import COPY
from tests.library_app.relay import Relay, relay
from tests.library_app.waiting import done, eventually

ADD = "/api/lending/add-book-copy-to-circulation"


@pytest.fixture
def relayed(database: str) -> Iterator[Relay]:
    assert CliRunner().invoke(main, ["init-db"], env={"LIBRARY_DSN": database}).exit_code == 0
    with relay(database) as between:
        yield between


def config_of(relayed: Relay) -> Config:
    return Config("0123456789abcdef", dsn=relayed.dsn, threads=4, database_patience=1)


def ready(client: FlaskClient) -> tuple[int, object]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json


def test_an_outage_is_told_at_once_and_ends_by_itself(relayed: Relay) -> None:
    with opened_app(config_of(relayed), Ending()) as app:
        client = app.test_client()
        well = {"status": "ready", "database": "answers", "book_search": "is up to date"}
        assert client.post(ADD, json=COPY).status_code == 201
        eventually(lambda: ready(client) == (200, well), "ready, and the live model up to date")

        relayed.cut()
        for address in ("/library/books", "/api/events", "/library/search?q=emma", "/glass/boundary", "/"):
            answer = client.get(address)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
        assert client.post(ADD, json=COPY).status_code == 503
        assert ready(client) == (503, {"status": "not ready", "database": "does not answer"})
        assert client.get("/health/live").status_code == 200

        relayed.restore()
        eventually(lambda: client.get("/api/events").status_code == 200, "answers again")
        eventually(lambda: ready(client)[0] == 200, "ready again")


def test_a_server_that_falls_silent_keeps_nobody_who_asks_whether_the_app_is_ready(relayed: Relay) -> None:
    with opened_app(config_of(relayed), Ending()) as app:
        client = app.test_client()
        eventually(lambda: ready(client)[0] == 200, "ready")
        relayed.fall_silent()
        told = list[tuple[int, object]]()
        done(lambda: told.append(ready(client)), "the answer")
        assert told == [(503, {"status": "not ready", "database": "does not answer within 1 s"})]
        relayed.speak()
        eventually(lambda: ready(client)[0] == 200, "ready again")


def test_a_process_that_starts_in_an_outage_waits_for_its_end(relayed: Relay) -> None:
    relayed.cut()
    with opened_app(config_of(relayed), Ending()) as app:
        client = app.test_client()
        assert client.get("/api/events").status_code == 503
        relayed.restore()
        eventually(lambda: client.get("/api/events").status_code == 200, "answers")


def test_the_connection_string_says_how_long_to_wait_unless_it_says_so_itself() -> None:
    bounds = conninfo_to_dict(impatient(Config("0123456789abcdef", dsn="host=db", database_patience=7)))
    assert (bounds["connect_timeout"], bounds["tcp_user_timeout"], bounds["keepalives_idle"]) == ("7", "7000", "7")
    given = Config("0123456789abcdef", dsn="postgresql://db/library?connect_timeout=60")
    assert conninfo_to_dict(impatient(given))["connect_timeout"] == "60"
