"""Nobody keeps the labs from everybody else: a client address may ask only so much of them within a minute."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore
from library_app import Config, create_app
from library_app.security import LAB_COSTS

DECISION = "/glass/decision/lending/lend_book_to_reader"


@pytest.fixture
def client(memory: InMemoryEventStore, config: Config) -> FlaskClient:
    app = create_app(memory, config=replace(config, lab_limit=12))
    app.testing = False
    return app.test_client()


def test_every_cost_is_that_of_an_endpoint(memory: InMemoryEventStore, config: Config) -> None:
    assert set(LAB_COSTS) <= set(create_app(memory, config=config).view_functions)


def test_who_asks_too_much_of_the_labs_is_told_when_to_come_back(client: FlaskClient) -> None:
    for _ in range(12):
        assert client.get("/glass/boundary").status_code == 200
    refused = client.get("/glass/boundary")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "You have asked the labs for a lot within a minute." in refused.text
    assert "Back to the library" in refused.text
    for lab in ("/glass/race/steps", DECISION):  # they share one limit
        assert client.get(lab).status_code == 429


def test_a_race_counts_for_ten_and_its_form_for_nothing(client: FlaskClient) -> None:
    token = client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]
    wanted = {"kind": "one-copy", "racers": "2", "csrf_token": token}
    assert client.post("/glass/race", data=wanted).status_code == 503  # there is no database
    assert client.post("/glass/race", data=wanted).status_code == 429
    assert client.get("/glass/race").status_code == 200


def test_steps_count_for_two(client: FlaskClient) -> None:
    answers = [client.get("/glass/race/steps").status_code for _ in range(7)]
    assert answers == [200] * 6 + [429]


def test_other_addresses_and_other_pages_are_not_concerned(client: FlaskClient) -> None:
    for _ in range(13):
        client.get("/glass/boundary")
    assert client.get("/glass/boundary").status_code == 429
    assert client.get("/glass/boundary", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    for page in ("/", "/library/books", "/glass/events", "/glass/slices", "/api/events"):
        assert client.get(page).status_code == 200
