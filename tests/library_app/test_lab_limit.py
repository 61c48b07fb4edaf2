"""Nobody keeps the labs from everybody else: a client address may ask only so much of them within a minute."""

from dataclasses import replace

import pytest
from flask import request
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


def test_behind_a_proxy_each_client_has_a_limit_of_its_own(memory: InMemoryEventStore, config: Config) -> None:
    proxied = create_app(memory, config=replace(config, lab_limit=12, trusted_proxies=1)).test_client()
    for number in range(13):  # what a client writes there itself stands before what the proxy has seen
        proxied.get("/glass/boundary", headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"})
    for client, status in (("203.0.113.1", 429), ("203.0.113.2", 200)):
        assert proxied.get("/glass/boundary", headers={"X-Forwarded-For": client}).status_code == status


def test_nobody_is_believed_to_be_a_proxy_who_was_not_said_to_be_one(client: FlaskClient) -> None:
    answers = [
        client.get("/glass/boundary", headers={"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(13)
    ]
    assert [answer.status_code for answer in answers] == [200] * 12 + [429]


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        (0, "http://localhost/seen 127.0.0.1"),
        (1, "https://library.example/seen 203.0.113.1"),
        (2, "http://wrong.example/seen 198.51.100.7"),
    ],
)
def test_scheme_host_and_address_are_those_of_the_client(
    memory: InMemoryEventStore, config: Config, proxies: int, seen: str
) -> None:
    app = create_app(memory, config=replace(config, trusted_proxies=proxies))
    app.add_url_rule("/seen", view_func=lambda: f"{request.url} {request.remote_addr}")
    told = {
        "X-Forwarded-For": "198.51.100.7, 203.0.113.1",
        "X-Forwarded-Proto": "http, https",
        "X-Forwarded-Host": "wrong.example, library.example",
    }
    assert app.test_client().get("/seen", headers=told).text == seen
