"""Headers, cookies, tokens, limits, and nothing unescaped."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore, SequencedEvent
from library_app import Config, create_app
from slices.testing import write
from tests.library_app.every_page import addresses, everything_called
from tests.library_app.library import BOOK, COPY, READER

Log = Callable[[], tuple[SequencedEvent, ...]]

EVIL = '<script>alert(1)</script> O\'Brien & "sons"'
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt; O&#39;Brien &amp; "
NAMELESS = {
    "/api",
    "/api/docs",
    "/glass/boundary",
    "/glass/race",
    "/glass/race/steps",
    "/glass/slices",
    "/glass/slices/lending/lend_book_to_reader",
    "/library/books/add",
    "/library/readers/register",
    "/school/courses/define",
    "/school/students/register",
}
"""Pages that show no title and no name."""


@pytest.fixture
def evil(memory: InMemoryEventStore, client: FlaskClient) -> FlaskClient:
    """A library in which everything is called like that."""
    write(memory, *everything_called(EVIL))
    return client


def test_every_answer_carries_the_headers(evil: FlaskClient, app: Flask) -> None:
    for address in [*addresses(app), "/nothing", "/api/nothing", "/library/books/x"]:
        headers = evil.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';"), address
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy or address == "/api/docs"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_every_page_shows_names_as_they_were_typed_and_holds_no_inline_script_or_style(
    evil: FlaskClient, app: Flask
) -> None:
    nameless: set[str] = set()
    for address in addresses(app):
        answer = evil.get(address, follow_redirects=True)
        assert answer.status_code == 200, address
        if answer.mimetype != "text/html":
            assert answer.mimetype == "application/json", address
            continue
        for inline in ("<script>", " style=", "<style", " onclick=", "//cdn", '"sons"'):
            assert inline not in answer.text, address
        if ESCAPED not in answer.text:
            nameless.add(address)
    assert nameless == NAMELESS


def test_only_the_page_of_swagger_ui_may_have_inline_styles(client: FlaskClient) -> None:
    policy = client.get("/api/docs").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src" not in policy


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(config: Config, memory: Any) -> None:
    cookie = create_app(memory, config=config).test_client().get("/library/readers/register").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    behind_tls = Config(secret_key=config.secret_key, secure_cookies=True)
    cookie = create_app(memory, config=behind_tls).test_client().get("/library/readers/register").headers["Set-Cookie"]
    assert "Secure" in cookie


@pytest.mark.parametrize(
    "address", ["/library/readers/register", "/library/books/add", "/library/lend", "/library/return", "/school/enroll"]
)
def test_a_form_without_its_token_is_refused(client: FlaskClient, log: Log, address: str) -> None:
    fields = {"Name": "Ann", "BookID": BOOK, "ReaderID": READER}
    for token in ({}, {"csrf_token": "made up"}):
        answer = client.post(address, data={**fields, **token})
        assert answer.status_code == 400
        assert "no longer valid" in answer.text
    assert log() == ()


def test_a_form_with_its_token_is_carried_out(form: Any, log: Log) -> None:
    assert form("/library/readers/register", {"Name": "Ann", "ReaderID": READER}).status_code == 303
    assert [event.event_type for event in log()] == ["ReaderRegistered"]


def test_a_form_that_is_too_large_is_refused(client: FlaskClient, log: Log) -> None:
    answer = client.post("/library/readers/register", data={"Name": "x" * 70_000})
    assert answer.status_code == 413
    assert "too large" in answer.text
    assert log() == ()


def test_what_people_type_is_no_template(post: Any, client: FlaskClient) -> None:
    copy = {**COPY, "Title": EVIL, "Edition": "{{ 7 * 7 }}", "Publisher": "%s"}
    assert post("lending/add-book-copy-to-circulation", copy).status_code == 201
    post("lending/register-reader", {"ReaderID": READER, "Name": "Robert'); DROP TABLE events;--"})
    for address in ("/library/books", f"/library/books/{BOOK}", "/library/search?q=O'Brien", "/glass/events/1"):
        page = client.get(address).text
        assert ESCAPED in page
        assert "{{ 7 * 7 }}" in page
    assert "Robert&#39;); DROP TABLE events;--" in client.get("/library/readers").text


def test_the_correlation_id_of_a_request_is_in_its_events_and_its_answer(post: Any, log: Log) -> None:
    mine = "0190a000-0000-7000-8000-0000000000cc"
    answer = post("lending/register-reader", {"Name": "Ann"}, **{"X-Correlation-ID": mine})
    assert answer.headers["X-Correlation-ID"] == mine
    assert mine in log()[0].metadata.decode()
    made = post("lending/register-reader", {"Name": "Bob"}, **{"X-Correlation-ID": "<script>"})
    assert made.headers["X-Correlation-ID"] in log()[1].metadata.decode()
