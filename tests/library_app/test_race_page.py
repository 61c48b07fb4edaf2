"""What the race lab takes and refuses, and what becomes of a race that goes wrong; without a database."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import ConcurrencyConflict, EventStream, Filter, InMemoryEventStore, StorableEvent, StoreUnavailable
from eventstore.errors import ConflictingEvent
from library_app import Config, create_app
from library_app.glass.race import story
from library_app.glass.race_picture import Picture
from library_app.race import RaceKind, RaceResult
from library_app.race.entries import entries
from library_app.race.ladder import Ladder
from library_app.race.racing import race
from library_app.race.schedule import Move
from slices.command_loop import Patience
from slices.lending.events import BookCopyLentToReader
from slices.testing import write
from tests.library_app.conftest import Post
from tests.library_app.library import BOOK, READER
from tests.wrapped_store import WrappedStore


def run(kind: RaceKind, racers: int, noon: datetime, store: Any = None, **options: Any) -> RaceResult:
    return race(store or InMemoryEventStore(), kind, entries(kind, racers, noon), guarded=True, **options)


@dataclass
class WatchedLab:
    """Notes who wants to race, and does something meanwhile."""

    noon: datetime
    meanwhile: Callable[[], None] = lambda: None
    asked: list[tuple[RaceKind, int, bool]] = field(default_factory=list)

    def run(self, kind: RaceKind, racers: int, *, guarded: bool) -> RaceResult:
        self.asked.append((kind, racers, guarded))
        self.meanwhile()
        return run(kind, racers, self.noon)

    def step(self, moves: tuple[Move, ...], *, guarded: bool) -> Ladder:
        raise AssertionError("a race is no schedule")


@pytest.fixture
def lab(noon: datetime) -> WatchedLab:
    return WatchedLab(noon)


@pytest.fixture
def client(lab: WatchedLab, memory: InMemoryEventStore, config: Config) -> FlaskClient:
    return create_app(memory, config=config, race_lab=lab).test_client()


def test_the_form_says_what_is_raced_for_by_how_many_and_with_which_guard(
    client: FlaskClient, form: Post, lab: WatchedLab
) -> None:
    page = form("/glass/race", {"kind": "last-seat", "racers": " 3 ", "naive": "yes"})
    assert page.status_code == 200
    assert lab.asked == [(RaceKind.LAST_SEAT, 3, False)]
    assert '<option value="last-seat" selected>' in page.text
    assert "checked" in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "one-copy", "racers": "1"}, "A number from 2 to 50, please."),
        ({"kind": "one-copy", "racers": "51"}, "A number from 2 to 50, please."),
        ({"kind": "one-copy", "racers": "<many>"}, "Not a whole number."),
        ({"kind": "one-copy"}, "This is needed."),
        ({"kind": "<b>", "racers": "2"}, "Not one of the races on offer."),
        ({"racers": "2"}, "This is needed."),
        ({"kind": "one-copy", "racers": "2", "naive": "perhaps"}, "Either on or off."),
    ],
)
def test_what_cannot_be_raced_is_said_beside_the_field(
    form: Post, lab: WatchedLab, fields: dict[str, str], sentence: str
) -> None:
    page = form("/glass/race", fields)
    assert page.status_code == 422
    assert page.text.count(sentence) == 1
    assert page.text.count('aria-invalid="true"') == 1
    assert "<many>" not in page.text
    assert lab.asked == []


def test_a_form_of_another_site_does_not_start_a_race(client: FlaskClient, lab: WatchedLab) -> None:
    assert client.post("/glass/race", data={"kind": "one-copy", "racers": "2"}).status_code == 400
    assert lab.asked == []


def test_one_race_at_a_time(form: Post, lab: WatchedLab) -> None:
    answers: list[Any] = []
    wanted = {"kind": "one-copy", "racers": "2"}
    lab.meanwhile = lambda: answers.append(form("/glass/race", wanted))
    assert form("/glass/race", wanted).status_code == 200
    [refused] = answers
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "Somebody races at the moment." in refused.text
    assert len(lab.asked) == 1


def test_a_race_that_fails_opens_the_gate_again(
    lab: WatchedLab, form: Post, client: FlaskClient, memory: InMemoryEventStore
) -> None:
    def fail() -> None:
        raise StoreUnavailable("no connection", outcome_unknown=False)

    lab.meanwhile = fail
    for _ in range(2):
        page = form("/glass/race", {"kind": "one-copy", "racers": "2"})
        assert page.status_code == 503
        assert "Somebody races" not in page.text


def test_without_a_database_the_page_says_that_it_needs_one(memory: InMemoryEventStore, config: Config) -> None:
    client = create_app(memory, config=config).test_client()
    page = client.get("/glass/race")
    assert page.status_code == 200
    assert "The race lab needs the database" in page.text
    assert 'name="racers"' not in page.text
    token = client.get("/library/readers/register").text.split('name="csrf_token" value="')[1].split('"')[0]
    posted = client.post("/glass/race", data={"kind": "one-copy", "racers": "2", "csrf_token": token})
    assert posted.status_code == 503
    assert "The race lab needs the database" in posted.text


def test_everybody_reads_before_anybody_appends(noon: datetime) -> None:
    result = run(RaceKind.ONE_COPY, 8, noon)
    released = min(racer.released for racer in result.racers)
    assert all(racer.ready <= released for racer in result.racers)
    assert len({racer.report.attempts[0].read_up_to for racer in result.racers}) == 1
    assert (result.conflicts, len(result.got), result.objections) == (7, 1, ())


def test_events_of_others_on_the_same_log_are_not_held_against_a_race(noon: datetime) -> None:
    class Shared(WrappedStore):
        def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
            write(self.inner, BookCopyLentToReader(BOOK, READER, occurred_at=noon))
            return super().append(first, *more, **options)

    result = run(RaceKind.ONE_COPY, 3, noon, Shared(InMemoryEventStore()))
    assert (len(result.got), result.objections) == (1, ())


def test_a_racer_who_cannot_read_keeps_nobody_waiting(noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    aborted: list[threading.Barrier] = []

    class Watched(threading.Barrier):
        def abort(self) -> None:
            aborted.append(self)
            super().abort()

    monkeypatch.setattr(threading, "Barrier", Watched)

    @dataclass
    class Failing(WrappedStore):
        queries: int = 0

        def query(self, filter: Filter, **options: Any) -> EventStream:
            self.queries += 1
            if self.queries == 3:  # the first one is the lab's own
                raise StoreUnavailable("this one is gone", outcome_unknown=False)
            return super().query(filter, **options)

    with pytest.raises(StoreUnavailable, match="this one is gone"):
        run(RaceKind.ONE_COPY, 5, noon, Failing(InMemoryEventStore()))
    assert aborted


def test_who_gives_up_is_told_of(noon: datetime) -> None:
    class Contended(WrappedStore):
        def append(self, first: StorableEvent, /, *more: StorableEvent, **options: Any) -> list[int]:
            if options.get("condition"):
                raise ConcurrencyConflict(ConflictingEvent(9, "A", first.event_id), "an item", 8, 9)
            return super().append(first, *more, **options)

    patience = Patience(attempts=2, first_pause=0.0)
    result = run(RaceKind.ONE_COPY, 2, noon, Contended(InMemoryEventStore()), patience=patience)
    assert story(result).endswith("0 got it, 2 gave up.")
    assert {"conflict", "gave-up"} <= Picture.of(result).kinds


def test_the_picture_has_a_line_per_racer_that_stays_on_the_axis(noon: datetime) -> None:
    result = run(RaceKind.ONE_COPY, 50, noon)
    picture = Picture.of(result)
    assert [line.name for line in picture.lines] == [racer.name for racer in result.racers]
    assert len({line.name for line in picture.lines}) == 50
    assert sum(line.won for line in picture.lines) == 1
    for line in picture.lines:
        assert all(0 <= step.at <= 100.001 for step in line.steps)
        assert line.marks[-1].kind == ("won" if line.won else "refused")
        assert line.steps[-1].kind == ("append" if line.won else "record")
    assert picture.ticks[0][1] == "0 ms"
    assert 2 <= len(picture.ticks) <= 5
