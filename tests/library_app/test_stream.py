"""`/glass/stream`: what is sent, in which form, and to whom."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore import InMemoryEventStore, StorableEvent
from library_app import Config, create_app
from library_app.glass import stream
from library_app.glass.live import LiveEvents
from tests.library_app.conftest import NOON, Seconds
from tests.library_app.library import BOOK, READER
from tests.library_app.waiting import done

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def live_events(memory: InMemoryEventStore) -> Iterator[LiveEvents]:
    opened = LiveEvents(memory, most_readers=1)
    yield opened
    done(opened.close, "the hub closes")


@pytest.fixture
def client(memory: InMemoryEventStore, config: Config, live_events: LiveEvents) -> FlaskClient:
    return create_app(memory, config=config, live_events=live_events).test_client()


def append(memory: InMemoryEventStore, event_type: str = "BookCopyLentToReader", **payload: Any) -> int:
    document = json.dumps(payload or {"BookID": BOOK, "ReaderID": READER}).encode()
    [number] = memory.append(StorableEvent.build(event_type, NOON, payload=document))
    return number


def parsed(text: str) -> list[dict[str, str]]:
    """The messages of an event stream, with their fields."""
    blocks = [block for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def numbers(messages: list[dict[str, str]]) -> list[int]:
    return [
        json.loads(message["data"])["number"] for message in messages if "data" in message and "event" not in message
    ]


def opened(client: FlaskClient, address: str = "/glass/stream", **headers: str) -> TestResponse:
    return client.get(address, headers={**STREAM, **headers})


def following(answer: TestResponse) -> Iterator[dict[str, str]]:
    """The messages of a stream, as they come."""
    for part in answer.iter_encoded():
        yield from parsed(part.decode())


def test_an_event_is_told_as_the_pages_show_it(client: FlaskClient, memory: InMemoryEventStore) -> None:
    append(memory)
    [event] = client.get("/glass/stream").get_json()["events"]
    assert event == {
        "number": 1,
        "type": "BookCopyLentToReader",
        "words": "Book copy lent to reader",
        "family": "lending",
        "ids": {"BookID": BOOK, "ReaderID": READER},
        "time": "2026-03-14T12:00:00+00:00",
        "moment": "14 Mar, 12:00:00",
    }


def test_a_page_follows_as_it_happens(client: FlaskClient, memory: InMemoryEventStore) -> None:
    append(memory)
    answer = opened(client)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    messages = following(answer)
    assert next(messages) == {"retry": str(stream.COME_BACK)}
    assert numbers([next(messages)]) == [1]
    assert next(messages) == {"id": "1", "event": "position", "data": "1"}
    append(memory)
    message = next(messages)
    assert message["id"] == "2"
    assert numbers([message]) == [2]
    answer.close()


@pytest.mark.parametrize("headers", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}, {"Accept": "image/png"}])
def test_whoever_does_not_ask_for_a_stream_gets_json(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get("/glass/stream?after=0", headers=headers).get_json() == {"events": [], "position": 0}


def test_above_the_cap_a_page_gets_what_is_new_and_asks_again(client: FlaskClient, memory: InMemoryEventStore) -> None:
    for _ in range(3):
        append(memory)
    first = opened(client)
    short = parsed(opened(client, "/glass/stream?after=1").text)
    lowest, highest = stream.ASK_AGAIN
    assert lowest <= int(short[0]["retry"]) <= highest
    assert numbers(short) == [2, 3]
    assert short[-1] == {"id": "3", "event": "position-for-now", "data": "3"}
    first.close()
    again = opened(client)
    assert next(following(again)) == {"retry": str(stream.COME_BACK)}
    again.close()


def test_a_connection_that_comes_back_goes_on_where_it_broke(client: FlaskClient, memory: InMemoryEventStore) -> None:
    for _ in range(4):
        append(memory)
    answer = opened(client, "/glass/stream?after=1", **{"Last-Event-ID": "2"})
    messages = following(answer)
    assert numbers([next(messages) for _ in range(4)]) == [3, 4]
    answer.close()


def test_head_takes_nobodys_place(client: FlaskClient) -> None:
    assert client.head("/glass/stream", headers=STREAM).status_code == 200
    answer = opened(client)
    assert next(following(answer)) == {"retry": str(stream.COME_BACK)}
    answer.close()


def test_an_answer_that_nobody_read_frees_its_place(client: FlaskClient, live_events: LiveEvents) -> None:
    opened(client).close()
    reader = live_events.join(None)
    assert reader is not None
    reader.close()


@pytest.mark.parametrize(
    ("address", "resumed", "said"),
    [
        ("/glass/stream?after=x", "", "A position in the log"),
        ("/glass/stream?after=-1", "", "A position in the log"),
        ("/glass/stream?after=9223372036854775807", "", "A position in the log"),
        ("/glass/stream?after=" + "9" * 5000, "", "A position in the log"),
        ("/glass/stream?before=1", "", "There is no such setting."),
        ("/glass/stream?after=1", "<script>", "A position in the log"),
    ],
)
def test_what_is_no_position_is_refused(client: FlaskClient, address: str, resumed: str, said: str) -> None:
    for accept in ("text/event-stream", "application/json"):
        answer = client.get(address, headers={"Accept": accept, "Last-Event-ID": resumed})
        assert answer.status_code == 422
        assert said in answer.text
        assert answer.mimetype == "application/json"


@pytest.mark.parametrize(
    "wicked",
    [
        pytest.param("a\n\nevent: position\ndata: 99\n\nb", id="line feeds"),
        pytest.param("a\r\revent: position\rdata: 99\r\rb\r\n\r\nc", id="carriage returns"),
        pytest.param("\u2028\u2029\x85\x0b\x0c\x1c\x1e", id="other ends of lines"),
        pytest.param('"\\"\\u0022\'', id="quotes"),
        pytest.param("</script><script>alert(1)</script><!--", id="script"),
        pytest.param("Ünal \U0001f4da \x1b\ufeff", id="beyond ASCII"),
    ],
)
def test_no_text_can_break_out_of_its_message(client: FlaskClient, memory: InMemoryEventStore, wicked: str) -> None:
    append(memory, wicked, BookID=wicked)
    parts = opened(client).iter_encoded()
    assert next(parts) == b"retry: 1000\n\n"
    told = next(parts).decode("ascii")
    # By the specification LF, CR and both together end a line; two messages of known lines are all there may be.
    fields = [line.partition(": ") for line in re.split("\r\n|\r|\n", told)]
    assert [name for name, _, _ in fields] == ["id", "data", "", "id", "event", "data", "", ""]
    event = json.loads(fields[1][2])
    assert (event["type"], event["ids"]) == (wicked, {"BookID": wicked})
    assert client.get("/glass/stream").get_json()["events"] == [event]


class Passing(Seconds):
    """A clock on which every look takes a second, so that what waits for time ends, whatever it does meanwhile."""

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def passing() -> Passing:
    return Passing()


@pytest.fixture
def timed(
    memory: InMemoryEventStore, live_events: LiveEvents, passing: Passing, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    """A stream whose time passes as it looks at the clock."""
    monkeypatch.setattr(stream, "LOOK_UP", 0)
    app = Flask("library_app")
    app.register_blueprint(stream.blueprint(memory, live_events, passing))
    return app.test_client()


def test_a_silent_stream_sends_heartbeats_and_ends_after_some_minutes(timed: FlaskClient, passing: Passing) -> None:
    looks = 3  # at the clock, between a heartbeat that is due and the next
    parts = opened(timed).iter_encoded()
    assert [next(parts), next(parts)] == [b"retry: 1000\n\n", b"id: 0\nevent: position\ndata: 0\n\n"]
    sent = passing.now
    for part in islice(parts, int(stream.LIFETIME)):
        assert part == b": still here\n\n"
        assert stream.HEARTBEAT <= passing.now - sent <= stream.HEARTBEAT + looks
        sent = passing.now
    assert stream.LIFETIME - stream.HEARTBEAT - looks <= sent <= passing.now <= stream.LIFETIME + looks


def test_a_stream_ends_when_the_hub_does(timed: FlaskClient, live_events: LiveEvents) -> None:
    messages = following(opened(timed))
    assert [next(messages), next(messages)][1]["event"] == "position"
    done(live_events.close, "the hub closes")
    assert list(messages) == []


def test_every_page_has_the_strip_and_a_plain_link(client: FlaskClient) -> None:
    for address in ("/", "/glass/events", "/library/desk", "/nothing"):
        page = client.get(address).text
        assert '<a class="live-toggle" href="/glass/events" data-live-toggle>' in page
        assert 'data-stream="/glass/stream"' in page
