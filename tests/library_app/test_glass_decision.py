"""The page that shows what a command is decided on: before, afterwards, and as of another time."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore, StorableEvent
from library_app import Config, create_app
from slices.slice_map import CONTEXTS, write_slices
from slices.testing import stored, write
from tests.library_app.conftest import NOON, all_events
from tests.slices.lending.races import RACES
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    RETURNED_BY_ANN,
)
from tests.slices.races import Interrupted, carry_out
from tests.wrapped_store import WrappedStore

PAGE = "/glass/decision/lending/lend_book_to_reader"
LEND_TO_BOB = f"{PAGE}?BookID={BOOK}&ReaderID={BOB}"
NOBODY = "0190a000-0000-7000-8000-0000000000ff"
HISTORY = (ADDED, ANN_REGISTERED, BOB_REGISTERED, LENT_TO_ANN)


def app_on(store: Any, config: Config) -> FlaskClient:
    return create_app(store, config=config, clock=lambda: NOON).test_client()


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_refusal_shows_the_question_the_events_the_state_and_the_rule_that_spoke(config: Config) -> None:
    store = stored(*HISTORY)
    page = words_of(app_on(store, config).get(LEND_TO_BOB).text)
    assert "What it would be decided on now. Nothing is written." in page
    assert "Reader contract canceled with BookID Learning Domain-Driven Design or ReaderID Bob" in page
    assert "3 events, read up to #4" in page
    assert f"copy is lent to …{ANN[-6:]}" in page
    assert "The copy is lent to another reader." in page
    assert "Put on record as LendingBookToReaderFailed" in page
    assert all_events(store)[-1].sequence_number == 4


def test_the_events_that_a_refusal_follows_from_are_marked(config: Config) -> None:
    client = app_on(stored(*HISTORY), config)
    refused = client.get(LEND_TO_BOB).text
    assert re.findall(r'<li class="family-\w+ marked">\s+<a class="place" href="([^"]+)"', refused) == [
        "/glass/events/4"
    ]
    assert "The refusal follows from #4 , marked below." in words_of(refused)
    assert "Book copy lent to reader says so" in words_of(refused)
    assert "says so" not in client.get(f"{LEND_TO_BOB}&AsOf=3").text
    unknown = words_of(client.get(f"{LEND_TO_BOB}&AsOf=2").text)
    assert "The reader is not registered." in unknown
    assert "The refusal follows from none of them: what it asks for never happened." in unknown


@dataclass
class ReturnedMeanwhile(WrappedStore):
    """A store in which the copy comes back as soon as the refusal is on record."""

    def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
        numbers = super().append(first, *more, **options)
        write(self.inner, RETURNED_BY_ANN)
        return numbers


def test_a_refused_form_links_to_the_events_that_the_handler_had_read(config: Config) -> None:
    client = app_on(ReturnedMeanwhile(stored(*HISTORY)), config)
    token = client.get("/library/lend").text.split('name="csrf_token" value="')[1].split('"')[0]
    refused = client.post("/library/lend", data={"BookID": BOOK, "ReaderID": BOB, "csrf_token": token})
    said = words_of(refused.text)
    assert "The copy is lent to another reader. It is on record as event #5 ." in said
    assert "It follows from event #4 Book copy lent to reader" in said
    assert 'class="notice refusal" role="alert" tabindex="-1"' in refused.text
    nobody = client.post("/library/lend", data={"BookID": BOOK, "ReaderID": NOBODY, "csrf_token": token})
    assert "The reader is not registered." in nobody.text
    assert "It follows from" not in nobody.text


def test_what_would_be_appended_and_its_guard_are_shown(config: Config) -> None:
    html = app_on(stored(*HISTORY, RETURNED_BY_ANN), config).get(LEND_TO_BOB).text
    page = words_of(html)
    assert "No rule speaks against it. Book copy lent to reader" in page
    assert "Appended only if nothing in the boundary came after #5." in page
    assert "AND sequence_number &gt; 5" in page


def test_the_same_can_be_asked_as_of_any_event(config: Config) -> None:
    client = app_on(stored(*HISTORY), config)
    page = words_of(client.get(f"{LEND_TO_BOB}&AsOf=3").text)
    assert "as of event #3. Nothing is written." in page
    assert "No rule speaks against it." in page
    assert "2 events, read up to #3" in page


def test_a_form_leads_to_the_page_and_carries_nothing_out(form: Any, client: FlaskClient, log: Any) -> None:
    looked = form(
        "/library/readers/register/boundary", {"Name": "Ann <b>", "ReaderID": ANN, "Email": "ann@example.org"}
    )
    assert looked.status_code == 303
    assert "ann" not in looked.location.lower().replace("name=ann", "")
    page = client.get(looked.location)
    assert page.status_code == 200
    assert "Ann &lt;b&gt;" in page.text
    assert log() == ()
    wrong = form("/library/lend/boundary", {"BookID": "7"})
    assert (wrong.status_code, "Not a valid UUID." in wrong.text) == (422, True)


def test_after_a_conflict_both_looks_are_shown_and_what_came_between(config: Config, form: Any) -> None:
    race = RACES["two readers want one copy"]
    inner = stored(*race.given)
    client = app_on(Interrupted(inner, lambda: carry_out(race.quicker, inner)), config)
    token = client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]
    inner_form = {"BookID": BOOK, "ReaderID": BOB, "csrf_token": token}
    refused = client.post("/library/lend", data=inner_form)
    [why] = re.findall(r'href="(/glass/decision/[^"]+)"', refused.text)
    page = words_of(client.get(why.replace("&amp;", "&")).text)
    between = len(race.given) + 1
    assert f"Event #{between} came between" in page
    assert page.index("No rule speaks against it.") < page.index(f"Event #{between} came between")
    assert page.index(f"Event #{between} came between") < page.index("The copy is lent to another reader.")
    assert f"Written: #{between + 1}" in page


@pytest.mark.parametrize("query", ["", "BookID=7", f"BookID={BOOK}&ReaderID={BOB}&AsOf=x", "BookID=<script>"])
def test_a_malformed_address_is_answered_with_what_is_wrong(query: str, config: Config) -> None:
    answer = app_on(stored(*HISTORY), config).get(f"{PAGE}?{query}")
    assert answer.status_code == 422
    assert "<script>" not in answer.text.partition("<main")[2]


def test_there_is_a_page_for_every_command_and_for_nothing_else(config: Config) -> None:
    client = app_on(InMemoryEventStore(), config)
    for context in CONTEXTS:
        for command in write_slices(context):
            assert client.get(f"/glass/decision/{context}/{command.name}").status_code == 422
    for unknown in ("lending/register_student", "lending/books_lent_out", "nowhere/lend_book_to_reader"):
        assert client.get(f"/glass/decision/{unknown}").status_code == 404
