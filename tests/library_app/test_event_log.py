"""The log, page by page, for people and programs."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import Filter, InMemoryEventStore
from library_app import Config, create_app
from library_app.event_log import LogQuestion, find_event, read_page

READER = "0190a000-0000-7000-8000-00000000000a"


def numbers(page: Any) -> list[int]:
    return [event.sequence_number for event in page.events]


def test_pages_join_without_a_gap_in_both_directions(seeded: InMemoryEventStore) -> None:
    page = read_page(seeded, LogQuestion(limit=40))
    assert page.newer is None
    seen = numbers(page)
    while page.older is not None:
        page = read_page(seeded, LogQuestion(before=page.older, limit=40))
        assert page.newer is not None
        seen += numbers(page)
    assert seen == list(range(page.position, 0, -1))
    back = numbers(page)
    while page.newer is not None:
        page = read_page(seeded, LogQuestion(after=page.newer, limit=40))
        back = numbers(page) + back
    assert back == seen


def test_filters_are_joined_by_and(seeded: InMemoryEventStore) -> None:
    lent = read_page(seeded, LogQuestion("BookCopyLentToReader", limit=1)).events[0]
    ids = dict(re.findall(r'"(\w+ID)": ?"([^"]+)"', lent.payload.decode()))
    found = read_page(seeded, LogQuestion("BookCopyLentToReader", ids)).events
    assert lent in found
    assert all(event.event_type == "BookCopyLentToReader" for event in found)
    assert all(value in event.payload.decode() for event in found for value in ids.values())


def test_the_whole_log_is_never_loaded(seeded: InMemoryEventStore, config: Config) -> None:
    limits: list[int | None] = []

    class Watched(InMemoryEventStore):
        def query(self, filter: Filter, **options: Any) -> Any:
            limits.append(options.get("limit"))
            return seeded.query(filter, **options)

    client = create_app(Watched(), config=config).test_client()
    for address in ("/glass/events", "/glass/events?before=50", "/api/events?after=50", "/glass/events/7"):
        assert client.get(address).status_code == 200
    assert limits
    assert all(limit is not None and limit <= 201 for limit in limits)


def test_an_event_knows_its_neighbours(seeded: InMemoryEventStore) -> None:
    head = read_page(seeded, LogQuestion(limit=1)).position
    first, middle, last = (find_event(seeded, number) for number in (1, 7, head))
    assert first is not None
    assert (first.previous, first.following) == (None, 2)
    assert middle is not None
    assert (middle.previous, middle.event.sequence_number, middle.following) == (6, 7, 8)
    assert last is not None
    assert last.following is None


@pytest.mark.parametrize("number", [0, 10_000, 2**63 - 1, 2**63, 10**30])
def test_there_is_no_such_event(demo_client: FlaskClient, number: int) -> None:
    assert demo_client.get(f"/glass/events/{number}").status_code == 404
    assert demo_client.get(f"/api/events/{number}").status_code == 404


def test_programs_follow_older_to_the_end(demo_client: FlaskClient) -> None:
    address: str | None = "/api/events?type=CourseDefined&limit=4"
    seen: list[int] = []
    while address:
        page = demo_client.get(address).json
        assert page is not None
        seen += [event["SequenceNumber"] for event in page["Events"]]
        assert {event["EventType"] for event in page["Events"]} == {"CourseDefined"}
        address = page["Older"]
    assert len(seen) == 9
    assert seen == sorted(seen, reverse=True)


BAD = [
    ("BookID=nonsense", "BookID"),
    ("StudentID=0190a000", "StudentID"),
    ("type=Nonsense", "type"),
    ("before=0", "before"),
    ("before=-1", "before"),
    ("after=x", "after"),
    (f"after={10**25}", "after"),
    (f"before={'9' * 5000}", "before"),
    ("before=3&after=1", "after"),
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("colour=red", "colour"),
]


@pytest.mark.parametrize(("query", "field"), BAD)
def test_a_bad_filter_is_named(demo_client: FlaskClient, query: str, field: str) -> None:
    answer = demo_client.get(f"/api/events?{query}")
    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["errors"]) == [field]
    page = demo_client.get(f"/glass/events?{query}")
    assert page.status_code == 422
    assert answer.json["errors"][field][0] in page.text


def test_a_refused_form_keeps_what_was_typed(demo_client: FlaskClient) -> None:
    page = demo_client.get("/glass/events?BookID=non%22sense&type=CourseDefined").text
    assert 'value="non&#34;sense"' in page
    assert '<option value="CourseDefined" selected>' in page
    assert 'aria-describedby="BookID-error"' in page


def test_empty_fields_of_the_form_are_no_filters(demo_client: FlaskClient) -> None:
    assert demo_client.get("/glass/events?type=&BookID=&ReaderID=+&StudentID=&CourseID=").status_code == 200


def test_an_event_is_shown_whole(demo_client: FlaskClient) -> None:
    page = demo_client.get("/glass/events/1").text
    for part in ("Payload", "Metadata", "CorrelationID", "PublicationYear", "/glass/events?BookID="):
        assert part in page


def test_an_empty_log_invites(client: FlaskClient) -> None:
    assert "The log is empty" in client.get("/glass/events").text
    assert client.get("/api/events").json == {"Position": 0, "Events": [], "Older": None, "Newer": None}
    assert "No event is like that" in client.get(f"/glass/events?ReaderID={READER}").text
