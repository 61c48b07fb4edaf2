"""The past: every page below `/as-of/<number>` is what the page was when that event was the newest."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from eventstore import (
    EventStream,
    Filter,
    InMemoryEventStore,
    InMemorySnapshotStore,
    Snapshot,
    SnapshotKey,
    StorableEvent,
    StoreUnavailable,
)
from library_app import Config, create_app
from library_app.past import PastCannotBeChanged, StoreThen
from library_app.time_travel import ONLY_NOW
from slices.slice_map import CONTEXTS, write_slices
from slices.testing import stored
from tests.library_app.conftest import NOON, all_events
from tests.library_app.library import COPY, READER
from tests.slices.lending.world import ADDED, ANN_REGISTERED, BOB, BOB_REGISTERED, BOOK, LENT_TO_ANN

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TOKEN = re.compile(r'name="csrf_token" value="[^"]+"')
LEND = f"/glass/decision/lending/lend_book_to_reader?BookID={BOOK}&ReaderID={BOB}"


def ids_in(store: InMemoryEventStore) -> dict[str, str]:
    """The first id of each kind in the log, by the name that it has in addresses."""
    found: dict[str, str] = {}
    for event in all_events(store):
        for key, value in json.loads(event.payload).items():
            found.setdefault(key.replace("ID", "_id").lower(), value)
    return found


def addresses(app: Flask, values: dict[str, str]) -> Iterator[str]:
    """Every address of the app that has a past, with ids from the log."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith(ONLY_NOW):
            if rule.arguments == {"context", "name"}:
                names = [
                    f"/glass/decision/{context}/{each.name}" for context in CONTEXTS for each in write_slices(context)
                ]
                yield from names
            else:
                yield re.sub(r"<(?:\w+:)?(\w+)>", lambda argument: (values | {"number": "1"})[argument[1]], rule.rule)


def comparable(text: str, known: str) -> str:
    """A page without what is new in every answer, and without what says that it is the past."""
    text = re.sub(r"(/|%2F)as-of(/|%2F)[0-9]+(/|%2F)", r"\1", TOKEN.sub("", text))
    text = UUID.sub(lambda found: found[0] if found[0].lower() in known else "NEW", text)
    main = re.search(r"<main.*</main>", text.replace("The library then", "The library today"), re.DOTALL)
    return re.sub(r"<p>Perhaps it came later than event #[0-9]+\.</p>\n?", "", main[0] if main else text)


@pytest.mark.parametrize("newest", ["BookCopyAddedToCirculation", "BookHeldForReader", "StudentEnrolledToCourse"])
def test_the_past_is_what_the_present_was(seeded: InMemoryEventStore, config: Config, newest: str) -> None:
    log = all_events(seeded)
    position = next(event.sequence_number for event in log if event.event_type == newest)
    before = InMemoryEventStore()
    for event in log[:position]:
        before.append(StorableEvent(event.event_id, event.event_type, event.occurred_at, event.payload, event.metadata))
    at_that_moment = log[position - 1].occurred_at
    then = create_app(before, config=config, clock=lambda: at_that_moment).test_client()
    app = create_app(seeded, config=config, clock=lambda: NOON)
    now = app.test_client()
    known = " ".join(event.payload.decode().lower() + str(event.event_id) for event in log)
    seen = []
    for address in addresses(app, ids_in(seeded)):
        seen.append(address)
        was, told = then.get(address), now.get(f"/as-of/{position}{address}")
        assert (address, told.status_code) == (address, was.status_code)
        assert comparable(told.text, known) == comparable(was.text, known), address
    assert len(seen) > 45


class CountedSnapshots(InMemorySnapshotStore):
    """Knows how often a state was asked for."""

    asked = 0

    def load(self, key: SnapshotKey) -> Snapshot | None:
        self.asked += 1
        return super().load(key)


@pytest.mark.usefixtures("library")
def test_a_state_that_was_kept_may_know_more_and_is_not_asked(memory: InMemoryEventStore, config: Config) -> None:
    snapshots = CountedSnapshots()
    client = create_app(memory, config=config, snapshots=snapshots).test_client()
    client.get("/as-of/2/library/readers")
    assert snapshots.asked == 0
    client.get("/library/readers")
    assert snapshots.asked == 1


@pytest.fixture
def lent(config: Config) -> FlaskClient:
    """A copy that Ann has had since event 4."""
    store = stored(ADDED, ANN_REGISTERED, BOB_REGISTERED, LENT_TO_ANN)
    return create_app(store, config=config, clock=lambda: NOON).test_client()


def test_a_command_is_answered_as_of_then(lent: FlaskClient) -> None:
    assert "The copy is lent to another reader." in lent.get(LEND).text
    assert "No rule speaks against it." in lent.get(f"/as-of/3{LEND}").text


def test_a_form_of_the_past_shows_what_would_have_been_decided_and_writes_nothing(
    client: FlaskClient, form: Any, post: Any, log: Any
) -> None:
    post("lending/add-book-copy-to-circulation", COPY)
    post("lending/register-reader", {"ReaderID": READER, "Name": "Ann"})
    given = {"BookID": COPY["BookID"], "ReaderID": READER}
    sent = form("/as-of/1/library/lend", given)
    assert (sent.status_code, sent.location) == (307, "/as-of/1/library/lend/boundary")
    looked = form(sent.location, given)
    assert looked.status_code == 303
    assert "The reader is not registered." in client.get(looked.location).text
    assert len(log()) == 2


def test_programs_cannot_change_the_past_either(client: FlaskClient, log: Any) -> None:
    answer = client.post("/as-of/0/api/lending/add-book-copy-to-circulation", json=COPY)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json is not None
    assert answer.json["detail"] == "This is the past, as of event #0. What has happened cannot be changed."
    assert log() == ()


def test_the_store_of_the_past_takes_no_event(app: Flask, memory: InMemoryEventStore) -> None:
    event = StorableEvent.build("Tested", NOON, payload=b"{}")
    with app.test_request_context("/", environ_overrides={"library_app.as_of": 0}), pytest.raises(PastCannotBeChanged):
        StoreThen(memory).append(event)
    assert all_events(memory) == ()
    with app.test_request_context("/"):
        assert StoreThen(memory).append(event) == [1]


@pytest.mark.usefixtures("library")
def test_a_narrower_bound_of_a_question_stays(client: FlaskClient) -> None:
    assert [event["SequenceNumber"] for event in client.get("/as-of/2/api/events").json["Events"]] == [2, 1]  # type: ignore[index]
    assert [event["SequenceNumber"] for event in client.get("/as-of/2/api/events?before=2").json["Events"]] == [1]  # type: ignore[index]
    assert [event["SequenceNumber"] for event in client.get("/as-of/2/api/events?before=9").json["Events"]] == [2, 1]  # type: ignore[index]


@pytest.mark.usefixtures("library")
def test_links_stay_in_the_past_and_the_bar_leads_out_of_it(client: FlaskClient) -> None:
    page = client.get("/as-of/2/library/readers?q=Ann").text
    assert 'href="/as-of/2/library/desk"' in page
    assert f'href="/as-of/2/library/readers/{READER}"' in page
    assert 'href="/library/readers?q=Ann"' in page
    assert 'max="3" value="2"' in page
    assert 'href="/static/app.css"' in page
    [earlier] = re.findall(r'href="([^"]+)" data-time-step="-1"', page)
    assert client.get(html.unescape(earlier)).location == "/as-of/1/library/readers?q=Ann"


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/as-of?page=/library/books?show%3Dfree", "/as-of/3/library/books?show=free"),
        ("/as-of?position=2&page=/", "/as-of/2/"),
        ("/as-of", "/as-of/3/"),
        ("/as-of?position=99", "/as-of/3/"),
        ("/as-of?position=0&page=//elsewhere.example/", "/as-of/0/elsewhere.example/"),
        ("/as-of?page=https://elsewhere.example/", "/as-of/3/https://elsewhere.example/"),
        ("/as-of?page=/x%0d%0aSet-Cookie:%20a", "/as-of/3/x%0D%0ASet-Cookie:%20a"),
        ("/as-of/2/glass/race", "/glass/race"),
        ("/as-of/2/glass/boundary?type=A", "/glass/boundary?type=A"),
        ("/as-of/2/as-of/1/library/books", "/as-of/1/library/books"),
        ("/as-of/2/static/app.css", "/static/app.css"),
    ],
)
@pytest.mark.usefixtures("library")
def test_where_one_is_led_to(client: FlaskClient, asked: str, leads_to: str) -> None:
    answer = client.get(asked)
    assert (answer.status_code in (302, 303), answer.location) == (True, leads_to)


@pytest.mark.parametrize("position", ["-1", "x", "1.5", "9" * 19, "٣"])
def test_a_position_that_is_none_is_refused(client: FlaskClient, position: str) -> None:
    assert client.get("/as-of", query_string={"position": position}).status_code == 422
    assert client.get(f"/as-of/{position}/library/books").status_code == 404


@pytest.mark.usefixtures("library")
def test_the_future_is_not_known_yet(client: FlaskClient) -> None:
    answer = client.get("/as-of/4/library/books")
    assert answer.status_code == 404
    assert "The log ends at event #3." in answer.text


def test_before_anything_happened_the_library_is_empty(client: FlaskClient, post: Any) -> None:
    post("lending/add-book-copy-to-circulation", COPY)
    page = client.get("/as-of/0/library/books").text
    assert "before anything happened" in page
    assert "No books yet." in page


def test_what_came_later_is_not_found_and_the_page_says_why(client: FlaskClient, library: None) -> None:
    answer = client.get(f"/as-of/1/library/readers/{READER}")
    assert answer.status_code == 404
    assert "Perhaps it came later than event #1." in answer.text


def test_below_another_address_the_past_lies_below_it_too(app: Flask, library: None) -> None:
    environment = EnvironBuilder("/as-of/2/library/books", "http://localhost/town").get_environ()
    body, _, headers = run_wsgi_app(app.wsgi_app, environment)
    page = b"".join(body).decode()
    assert 'href="/town/as-of/2/library/desk"' in page
    assert 'action="/town/as-of"' in page
    assert 'href="/town/library/books" data-time-present' in page
    assert headers["Content-Type"].startswith("text/html")


class AwayLater(InMemoryEventStore):
    """Answers no query once it is told so."""

    away = False

    def query(self, filter: Filter, **how: Any) -> EventStream:
        if self.away:
            raise StoreUnavailable("gone", outcome_unknown=False)
        return super().query(filter, **how)


def test_a_store_that_does_not_answer_is_said_in_the_past_as_well(config: Config) -> None:
    store = AwayLater()
    client = create_app(store, config=config).test_client()
    assert client.get("/as-of/0/").status_code == 200
    store.away = True
    answer = client.get("/as-of/0/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "The event store does not answer just now." in answer.text
