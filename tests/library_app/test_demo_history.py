"""The demo's six weeks obey the rules and leave something to do."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from eventstore import FilterBuilder, InMemoryEventStore
from library_app.demo import history
from library_app.demo.titles import TITLES
from library_app.keyed_hash import keyed_hash
from library_app.pages import shelf
from slices.codec import decode
from slices.command_loop import CommandLoop
from slices.decision import Append, Reject
from slices.questions import Replaying

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""The "now" of the seeded store."""

HASHED = partial(keyed_hash, "0123456789abcdef")


@pytest.mark.parametrize(
    "now", [NOON, datetime(2026, 7, 6, 0, 3, tzinfo=UTC), datetime(2028, 2, 29, 23, 59, tzinfo=UTC)]
)
def test_every_step_comes_out_as_planned(now: datetime) -> None:
    loop = CommandLoop(InMemoryEventStore())
    for step in history.plan(now, HASHED):
        outcome = step.carry_out(loop)
        assert isinstance(outcome.decision, Append if step.expected == "written" else Reject), step.command
        assert outcome.events


def test_the_history_is_chronological_and_ends_shortly_before_now() -> None:
    moments = [step.command.occurred_at for step in history.plan(NOON, HASHED)]
    assert moments == sorted(moments)
    assert timedelta(days=41) < NOON - moments[0] <= timedelta(days=43)
    assert timedelta() < NOON - moments[-1] < timedelta(minutes=15)


def test_the_same_seed_gives_the_same_history() -> None:
    first, again = history.plan(NOON, HASHED), history.plan(NOON, HASHED)
    other = history.plan(NOON, HASHED, seed=1)
    assert [step.command for step in first] == [step.command for step in again]
    assert [step.command for step in first] != [step.command for step in other]


def test_it_is_a_library_in_use(seeded: InMemoryEventStore) -> None:
    view = Replaying(seeded).ask(shelf.BOUNDARY, shelf.project).view
    assert len(view.free) >= 30
    assert len(view.lent) >= 30
    assert len(view.copies) == 95
    assert len(view.readers) == 25
    assert {copy.isbn for copy in view.copies.values()} == {title.isbn for title in TITLES}


def test_it_holds_what_one_wants_to_see(seeded: InMemoryEventStore) -> None:
    events = seeded.query(FilterBuilder().matching_any_event()).events
    types = Counter(event.event_type for event in events)
    assert 600 <= len(events) <= 900
    assert types["LendingBookToReaderFailed"] >= 3
    assert types["ReturningBookFromReaderFailed"] >= 1
    assert types["EnrollingStudentFailed"] >= 2
    assert types["CourseDefined"] == 9
    assert types["StudentRegistered"] == 30
    for event in events:
        decode(event)
