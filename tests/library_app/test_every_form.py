"""Every form with anything in it: it is never our fault, what was typed comes back as it was, and somebody says why."""

from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from eventstore import InMemoryEventStore
from library_app import Config, create_app
from slices.slice_map import CONTEXTS, write_slices
from slices.testing import write
from tests.library_app.every_page import everything_called
from tests.slices.enrollment.world import EVE, LATIN
from tests.slices.lending.world import ADDRESS, ANN, BOB, BOOK, OTHER_BOOK

URLENCODED: Final = "application/x-www-form-urlencoded"
EVIL: Final = "\"'><script>alert(1)</script>&lt;"
TOO_LONG: Final = 70_000  # more than a request may have


def forms_of(app: Flask) -> list[str]:
    """The address of every form of a command, off the url map: a new slice is among them by itself."""
    return sorted(str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.endswith(".pages.submit"))


def new_app() -> Flask:
    store = InMemoryEventStore()
    write(store, *everything_called("Ann"))
    app = create_app(store, config=Config(secret_key="a secret for the tests", lab_limit=1_000_000))
    app.testing = False  # errors are answered as in production
    return app


APP: Final = new_app()


class Page(HTMLParser):
    """What a page has: the values of its fields, and what it says is wrong.

    Attributes:
        values: by the name of the field.
        alerts: sentences.
        scripts: how many there are in the text itself.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.names: set[str] = set()
        self.alerts = 0
        self.inline_scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by HTMLParser."""
        known = dict(attrs)
        if tag in ("input", "select") and known.get("name"):
            self.names.add(str(known["name"]))
        if tag == "input" and known.get("name"):
            self.values[str(known["name"])] = known.get("value") or ""
        if known.get("role") == "alert" or known.get("class") == "error":
            self.alerts += 1
        if tag == "script" and "src" not in known:
            self.inline_scripts += 1


NAMES: Final = {
    address: sorted(Page(APP.test_client().get(address).text).names - {"csrf_token"}) for address in forms_of(APP)
}


def visited(app: Flask) -> tuple[str, str]:
    """The session of somebody who has seen a form, and the token in it."""
    client = app.test_client()
    token = Page(client.get("/library/readers/register").text).values["csrf_token"]
    session = client.get_cookie("session")
    assert session is not None
    return session.value, token


SESSION, TOKEN = visited(APP)

odd_bytes = st.sampled_from(
    [b"\xed\xa0\x80", b"\xff\xfe", b"\x00", b"\r\n", b"\xc3", b"\xe2\x80\xae", b"\xf0\x9f\x92\xa9", b"%", b"+"]
)
typed = st.one_of(
    st.just(EVIL.encode()),
    st.sampled_from([ANN, BOB, BOOK, OTHER_BOOK, EVE, LATIN, ADDRESS, "9781098100131", "2021", "1", "", " "]).map(
        str.encode
    ),
    st.text(max_size=40).map(lambda text: text.encode(errors="replace")),
    st.lists(odd_bytes | st.binary(max_size=3), max_size=5).map(b"".join),
    st.sampled_from([b"9" * 5000, "ß".encode() * 3000, b"x" * TOO_LONG]),
)


@st.composite
def bodies(draw: st.DrawFn, names: list[str]) -> bytes:
    """Fields that are there, missing, doubled or unknown, with the token, with another, or with none."""
    some = st.sampled_from([*names, "find", "next", "find-BookID", "csrf_token", "Unknown", "", "Email\x00"])
    pairs = [(name, draw(typed)) for name in names if draw(st.integers(0, 9))]
    pairs += draw(st.lists(st.tuples(some, typed), max_size=3))
    tokens = draw(st.sampled_from([*[[TOKEN]] * 12, [TOKEN, "x"], ["x", TOKEN], ["ü"], [""], []]))
    pairs += [("csrf_token", one.encode()) for one in tokens]
    order = draw(st.permutations(pairs)) if draw(st.booleans()) else pairs
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in order).encode()


around = st.sampled_from(["{}", "{}", "{}/boundary", "/as-of/3{}"])
media_types = st.sampled_from(
    [URLENCODED] * 12
    + [f"{URLENCODED}; charset=utf-16", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""]
)


@pytest.mark.parametrize("address", forms_of(APP))
@settings(max_examples=settings().max_examples // 2)
@given(data=st.data())
def test_whatever_is_in_a_form(address: str, data: st.DataObject) -> None:
    client = APP.test_client()
    client.set_cookie("session", SESSION)
    body = data.draw(bodies(NAMES[address]))
    asked: dict[str, Any] = {"data": body, "content_type": data.draw(media_types)}
    answer = client.post(data.draw(around).format(address), **asked)
    if answer.status_code == 307:  # in the past nothing is carried out: the browser asks what would have been decided
        answer = client.post(answer.headers["Location"], **asked)
    if answer.status_code == 303:
        where = answer.headers["Location"]
        assert where.startswith("/")
        assert not where.startswith("//")
        assert client.get(where).status_code < 500
        return
    assert answer.status_code in {200, 400, 405, 409, 413, 422}
    assert answer.mimetype == "text/html"
    page = Page(answer.text)
    assert not page.inline_scripts
    if answer.status_code in (409, 422):
        assert page.alerts
        comes_back(page, sent(address, **asked))
    elif answer.status_code != 200:
        assert "<h1>" in answer.text


def sent(address: str, **asked: Any) -> "MultiDict[str, str]":
    """What the form is taken for."""
    return Request(EnvironBuilder(address, method="POST", **asked).get_environ()).form


def comes_back(page: Page, form: "MultiDict[str, str]") -> None:
    """Whatever stands in the fields of the page is what was typed."""
    for name, shown in page.values.items():
        if name in form and name not in {"csrf_token", "next"} and not name.startswith("find"):
            assert shown == form[name], name


def test_the_form_of_every_command_is_among_them() -> None:
    assert len(forms_of(APP)) == sum(len(write_slices(context)) for context in CONTEXTS)
