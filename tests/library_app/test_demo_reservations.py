"""The demo's waiting lists: every way in which a reservation can end, and some that have not."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from eventstore import FilterBuilder, InMemoryEventStore
from library_app.demo import history
from library_app.keyed_hash import keyed_hash
from library_app.pages import shelf
from slices.codec import decode
from slices.command_loop import CommandLoop
from slices.lending.events import BookCopyLentToReader, BookHeldForReader
from slices.lending.waiting_lists.query import WaitingListsHandler
from slices.questions import Replaying

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def written(now: datetime, seed: int) -> InMemoryEventStore:
    store = InMemoryEventStore()
    for step in history.plan(now, partial(keyed_hash, "0123456789abcdef"), seed=seed):
        step.carry_out(CommandLoop(store))
    return store


@pytest.mark.parametrize(("days", "seed"), [(0, 20), (1, 20), (2, 1), (3, 2), (4, 3), (5, 4), (6, 5)])
def test_whatever_can_become_of_a_reservation_is_there(days: int, seed: int) -> None:
    now = NOON + timedelta(days=days)
    store = written(now, seed)
    types = Counter(event.event_type for event in store.query(FilterBuilder().matching_any_event()))
    assert (types["BookReserved"], types["BookReservationCanceled"], types["BookHoldExpired"]) == (8, 1, 1)
    assert types["BookHeldForReader"] == 4
    assert types["ReservingBookFailed"] == 0
    past, ready, two, one = WaitingListsHandler(Replaying(store)).handle().view
    assert past.is_past_its_time(now)
    assert ready.held_for is not None
    assert not ready.is_past_its_time(now)
    assert [len(copy.readers) for copy in (past, ready, two, one)] == [1, 1, 2, 1]
    assert all(reader.name for copy in (past, ready, two, one) for reader in copy.readers)


def test_one_held_copy_was_collected_in_time(seeded: InMemoryEventStore) -> None:
    held: dict[str, BookHeldForReader] = {}
    collected = []
    for event in map(decode, seeded.query(FilterBuilder().matching_any_event())):
        if isinstance(event, BookHeldForReader):
            held[event.book_id] = event
        elif isinstance(event, BookCopyLentToReader) and event.book_id in held:
            collected.append((held.pop(event.book_id), event))
    [(hold, lending)] = [(hold, lending) for hold, lending in collected if hold.reader_id == lending.reader_id]
    assert hold.occurred_at + timedelta(hours=2) < lending.occurred_at < hold.held_until


def test_a_held_copy_is_not_free(seeded: InMemoryEventStore) -> None:
    view = Replaying(seeded).ask(shelf.BOUNDARY, shelf.project).view
    assert len(view.held) == 2
    assert not {copy.book_id for copy in view.held} & {copy.book_id for copy in view.free}
