"""Holds past their time end once, however often and by how many somebody looks."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore import EventStore, Filter, FilterBuilder
from library_app.hold_shelf import LookedOver, look_over
from slices.codec import decode_metadata
from slices.command_loop import CommandLoop
from slices.domain_event import DomainEvent
from slices.lending.events import BookHeldForReader, BookReserved
from slices.questions import Answer, Questions, Replaying
from slices.testing import write

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PAST, IN_TIME = NOW - timedelta(microseconds=1), NOW
ANN, BOB = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
BOOKS = [str(uuid.UUID(int=number)) for number in range(10, 14)]


def reserved_and_held(book: str, *readers: str, until: datetime) -> list[DomainEvent]:
    at = NOW - timedelta(days=3)
    queue = [BookReserved(book, reader, occurred_at=at) for reader in readers]
    return [*queue, BookHeldForReader(book, readers[0], until, occurred_at=at)]


@pytest.fixture
def shelf(engine: EventStore) -> EventStore:
    """Two holds past their time, one of them with a second reader in line; one in time; and one who only waits."""
    write(
        engine,
        *reserved_and_held(BOOKS[0], ANN, BOB, until=PAST),
        *reserved_and_held(BOOKS[1], ANN, until=PAST),
        *reserved_and_held(BOOKS[2], ANN, until=IN_TIME),
        BookReserved(BOOKS[3], BOB, occurred_at=PAST),
    )
    return engine


def types(store: EventStore) -> Counter[str]:
    return Counter(event.event_type for event in store.query(FilterBuilder().matching_any_event()))


def test_every_hold_past_its_time_ends_and_no_other(shelf: EventStore) -> None:
    assert look_over(Replaying(shelf), CommandLoop(shelf), NOW) == LookedOver(2, 1)
    ended = shelf.query(FilterBuilder().matching().any_event_type_of("BookHoldExpired").finalize()).events
    assert [book in event.payload.decode() for book, event in zip(BOOKS[:2], ended, strict=True)] == [True, True]
    assert {event.occurred_at for event in ended} == {NOW}
    assert len({decode_metadata(event).correlation_id for event in ended}) == 1


def test_it_may_be_repeated(shelf: EventStore) -> None:
    look_over(Replaying(shelf), CommandLoop(shelf), NOW)
    before = types(shelf)
    assert look_over(Replaying(shelf), CommandLoop(shelf), NOW) == LookedOver()
    assert types(shelf) == before
    assert look_over(Replaying(shelf), CommandLoop(shelf), NOW + timedelta(hours=49)) == LookedOver(2, 0)


@dataclass
class Interrupted:
    """Questions whose first answer is old already when it comes: somebody else looked over the shelf meanwhile."""

    questions: Questions
    meanwhile: Callable[[], Any] | None

    def ask(self, boundary: Filter, project: Callable[[Iterable[Any]], Any]) -> Answer[Any]:
        answer = self.questions.ask(boundary, project)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        return answer


def test_two_at_once_end_each_hold_once(shelf: EventStore) -> None:
    replaying, loop = Replaying(shelf), CommandLoop(shelf)
    counted = []
    questions = Interrupted(replaying, lambda: counted.append(look_over(replaying, loop, NOW)))
    counted.append(look_over(questions, loop, NOW))
    assert counted == [LookedOver(2, 1), LookedOver()]
    assert types(shelf)["BookHoldExpired"] == 2
    assert types(shelf)["BookHeldForReader"] == 4


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (LookedOver(), "No hold is past its time."),
        (LookedOver(1, 0), "1 hold ended, no copies are held for the next reader."),
        (LookedOver(2, 1), "2 holds ended, 1 copy is held for the next reader."),
        (LookedOver(3, 3), "3 holds ended, 3 copies are held for the next reader."),
    ],
)
def test_it_says_in_one_line_what_it_did(done: LookedOver, words: str) -> None:
    assert str(done) == words
