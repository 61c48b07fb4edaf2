"""The clock of a machine is put back by an hour, or forwards by a century: what happened first is first in the log."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore import InMemoryEventStore
from library_app import Config, create_app
from slices.audit import audit
from tests.library_app.conftest import NOON, all_events
from tests.library_app.every_page import addresses
from tests.library_app.library import COPY, LEND, RETURN
from tests.slices.lending.world import ANN, BOB, BOOK
from tests.wrapped_store import WrappedStore

RESERVE: Final = "lending/reserve-book"
EXPIRE: Final = "lending/expire-holds"
DAY: Final = timedelta(days=1)
CENTURY: Final = timedelta(days=36_525)


class Library:
    """One copy, two readers, and a clock that jumps."""

    def __init__(self) -> None:
        self.store = WrappedStore(InMemoryEventStore())
        self.app = create_app(self.store, config=Config(secret_key="a secret for the tests"), clock=lambda: self.now)
        self.app.testing = False
        self.client = self.app.test_client()
        self.open_anew()

    def open_anew(self) -> None:
        """Begin from an empty log."""
        self.now = NOON
        self.store.inner = InMemoryEventStore()
        self.does("lending/add-book-copy-to-circulation", **{**COPY, "BookID": BOOK})
        for reader in (ANN, BOB):
            self.does("lending/register-reader", ReaderID=reader, Name="Ann")

    def does(self, route: str, key: str = "", /, **body: Any) -> tuple[int, Any]:
        """Send a command."""
        answer = self.client.post(f"/api/{route}", json=body, headers={"Idempotency-Key": key} if key else {})
        return answer.status_code, answer.get_json()

    def written(self) -> list[str]:
        """The types of all events but the first three."""
        return [event.event_type for event in all_events(self.store)][3:]


@pytest.fixture
def jumping() -> Library:
    return Library()


def test_a_hold_ends_by_the_clock_of_whoever_looks_and_not_again_when_it_is_put_back(jumping: Library) -> None:
    jumping.does(LEND, BookID=BOOK, ReaderID=ANN)
    jumping.does(RESERVE, BookID=BOOK, ReaderID=BOB)
    jumping.now -= DAY
    jumping.does(RETURN, BookID=BOOK, ReaderID=ANN)  # from now on the copy is held for two days
    assert jumping.does(EXPIRE, BookID=BOOK)[1]["Outcome"] == "nothing"
    jumping.now += CENTURY
    assert jumping.does(EXPIRE, BookID=BOOK)[1]["Events"] == [{"SequenceNumber": 8, "EventType": "BookHoldExpired"}]
    jumping.now = NOON
    assert jumping.does(EXPIRE, BookID=BOOK)[1]["Outcome"] == "nothing"
    assert jumping.does(LEND, BookID=BOOK, ReaderID=ANN)[0] == 201
    assert not list(audit(all_events(jumping.store)))


@pytest.mark.parametrize("jump", [-CENTURY, -DAY, timedelta(microseconds=-1), CENTURY])
def test_a_key_is_answered_as_before_whatever_the_clock_says(jumping: Library, jump: timedelta) -> None:
    first = jumping.does(LEND, "k", BookID=BOOK, ReaderID=ANN)
    jumping.now += jump
    assert jumping.does(LEND, "k", BookID=BOOK, ReaderID=ANN) == first
    assert jumping.written() == ["BookCopyLentToReader"]


opened_once = cache(Library)
commands = st.tuples(
    st.sampled_from([LEND, LEND, RETURN, RETURN, RESERVE, "lending/cancel-reservation", EXPIRE]),
    st.sampled_from([ANN, BOB]),
    st.sampled_from([timedelta(0), DAY, -DAY, 3 * DAY, -3 * DAY, timedelta(hours=-1), CENTURY, -CENTURY]),
)


@settings(max_examples=settings().max_examples // 2)
@given(st.lists(commands, min_size=5, max_size=25))
def test_no_jump_lets_anything_happen_that_the_rules_forbid(given_commands: list[tuple[str, str, timedelta]]) -> None:
    library = opened_once()
    library.open_anew()
    for route, reader, jump in given_commands:
        library.now += jump
        body = {"BookID": BOOK} if route == EXPIRE else {"BookID": BOOK, "ReaderID": reader}
        assert library.does(route, **body)[0] in {200, 201, 409}
    assert not list(audit(all_events(library.store)))


def test_every_page_shows_a_history_whose_times_go_backwards(jumping: Library) -> None:
    for route, reader, jump in [
        (LEND, ANN, -DAY),
        (RESERVE, BOB, CENTURY),
        (RETURN, ANN, -CENTURY),
        (LEND, BOB, -DAY),
        (RETURN, BOB, -DAY),
    ]:
        jumping.now += jump
        assert jumping.does(route, BookID=BOOK, ReaderID=reader)[0] == 201
    pages = [address for address in addresses(jumping.app) if not set(address.split("/")) & {"school", "enrollment"}]
    for address in pages:
        assert jumping.client.get(address, follow_redirects=True).status_code == 200, address
    for event in all_events(jumping.store):
        for address in ("/", f"/library/books/{BOOK}", "/library/waiting", "/api/lending/waiting-lists"):
            assert jumping.client.get(f"/as-of/{event.sequence_number}{address}").status_code == 200, address


@pytest.fixture
def wall_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Put the clock of the machine back by so many seconds."""
    right = time.time

    def put_back(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: right() - seconds)

    return put_back


def test_a_limit_of_a_minute_lasts_a_minute(config: Config, wall_clock: Callable[[float], None]) -> None:
    client = create_app(InMemoryEventStore(), config=config).test_client()
    while (refused := client.get("/glass/race/steps")).status_code != 429:
        assert refused.status_code == 200
    wall_clock(3600)
    assert client.get("/glass/race/steps").status_code == 200


def test_whoever_has_a_form_open_when_the_clock_is_put_back_is_told_to_load_it_again(
    client: FlaskClient, wall_clock: Callable[[float], None]
) -> None:
    def token() -> str:
        return client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]

    kept = token()
    wall_clock(3600)
    refused = client.post("/library/readers/register", data={"Name": "Ann", "csrf_token": kept})
    assert refused.status_code == 400
    assert "reload the page and send it again" in refused.text
    assert client.post("/library/readers/register", data={"Name": "Ann", "csrf_token": token()}).status_code == 303
