"""Headers, cookies, tokens, limits, and nothing unescaped."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import SequencedEvent
from library_app import Config, create_app

Log = Callable[[], tuple[SequencedEvent, ...]]

BOOK = "0190a000-0000-7000-8000-0000000000b1"
READER = "0190a000-0000-7000-8000-00000000000a"
ADDRESSES = [
    "/",
    "/library/books",
    "/library/desk",
    "/glass/events",
    "/glass/race/steps",
    "/api",
    "/api/events",
    "/nothing",
    "/api/nothing",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_carries_the_headers(client: FlaskClient, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_only_the_page_of_swagger_ui_may_have_inline_styles(client: FlaskClient) -> None:
    policy = client.get("/api/docs").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/library/books",
        "/library/desk",
        "/glass/events",
        "/glass/events/1",
        "/glass/race",
        "/glass/race/steps",
        "/api",
    ],
)
def test_pages_hold_no_inline_script_or_style(demo_client: FlaskClient, address: str) -> None:
    page = demo_client.get(address).text
    assert "<script>" not in page
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert "//cdn" not in page


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


def test_what_people_type_is_shown_as_they_typed_it_and_never_run(post: Any, client: FlaskClient) -> None:
    title = '<script>alert(1)</script> O\'Brien & "sons"'
    copy = {
        "BookID": BOOK,
        "ISBN": "9781098100131",
        "Title": title,
        "Authors": "<b>O'Brien</b>",
        "Edition": "{{ 7 * 7 }}",
        "Publisher": "%s",
        "PublicationYear": 2021,
    }
    assert post("lending/add-book-copy-to-circulation", copy).status_code == 201
    post("lending/register-reader", {"ReaderID": READER, "Name": "Robert'); DROP TABLE events;--"})
    addresses = ["/", "/library/books", f"/library/books/{BOOK}", f"/library/desk?ReaderID={READER}&q=script"]
    for address in [*addresses, "/library/search", "/glass/events", "/glass/events/1", "/library/readers"]:
        page = client.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text, address
        assert "<b>O&#39;Brien</b>" not in page.text
        assert "49" not in page.text.split("<main", 1)[1].split("Edition", 1)[-1][:40]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; O&#39;Brien &amp; &#34;sons&#34;" in client.get("/library/books").text
    found = client.get("/library/search?q=O'Brien").text
    assert "&lt;script&gt;" in found


def test_the_correlation_id_of_a_request_is_in_its_events_and_its_answer(post: Any, log: Log) -> None:
    mine = "0190a000-0000-7000-8000-0000000000cc"
    answer = post("lending/register-reader", {"Name": "Ann"}, **{"X-Correlation-ID": mine})
    assert answer.headers["X-Correlation-ID"] == mine
    assert mine in log()[0].metadata.decode()
    made = post("lending/register-reader", {"Name": "Bob"}, **{"X-Correlation-ID": "<script>"})
    assert made.headers["X-Correlation-ID"] in log()[1].metadata.decode()
