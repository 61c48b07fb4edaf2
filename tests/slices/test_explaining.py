"""A decision looked at again: the same as in earnest, of any command, as of any position, and nothing is written."""

from datetime import UTC, datetime

import pytest
from marshmallow import ValidationError

from eventstore import InMemoryEventStore
from slices.decision import Append, Reject
from slices.explaining import as_text, explain, from_text, slice_of
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import boundary
from slices.lending.rejections import BookAlreadyLent
from slices.testing import stored, write
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    RETURNED_BY_ANN,
)
from tests.slices.races import Race, carry_out, run
from tests.slices.test_races import NAMED

LEND_TO_BOB = LendBookToReader(BOOK, BOB, NOON)
HISTORY = (ADDED, ANN_REGISTERED, BOB_REGISTERED, LENT_TO_ANN, RETURNED_BY_ANN)


@NAMED
def test_every_attempt_of_every_command_is_explained_by_the_position_it_had_read_up_to(race: Race) -> None:
    store = InMemoryEventStore()
    outcome = run(race, store)
    *first_tries, last = (explain(store, race.slower, attempt.read_up_to) for attempt in outcome.report.attempts)
    assert last.decision == outcome.decision
    assert (last.position, len(last.events)) == (outcome.report.read_up_to, outcome.report.events_read)
    for tried in first_tries:
        assert isinstance(tried.decision, Append), "only an append can meet a conflict"


@NAMED
def test_an_explanation_is_what_happens_next_and_writes_nothing(race: Race) -> None:
    store = InMemoryEventStore()
    write(store, *race.given)
    explained = explain(store, race.slower)
    assert store.query(explained.boundary).position == len(race.given)
    assert carry_out(race.slower, store).decision == explained.decision


def test_the_answer_of_any_moment_can_be_looked_up() -> None:
    store = stored(*HISTORY)
    assert explain(store, LEND_TO_BOB, 5).decision == Append(LENT_TO_BOB)
    held_by_ann = explain(store, LEND_TO_BOB, 4)
    assert isinstance(held_by_ann.decision, Reject)
    assert held_by_ann.decision.reason == BookAlreadyLent(BOOK, ANN)
    assert held_by_ann.state.copy_is_lent_to == ANN
    assert [event.sequence_number for event in held_by_ann.events] == [1, 3, 4]
    assert held_by_ann.boundary == boundary(LEND_TO_BOB)
    assert explain(store, LEND_TO_BOB, 99).position == 5
    assert explain(store, LEND_TO_BOB, 0).events == ()


@NAMED
def test_every_command_can_be_written_as_text_and_read_again(race: Race) -> None:
    for command in (race.quicker, race.slower):
        later = datetime(2030, 1, 1, tzinfo=UTC)
        assert from_text(slice_of(command), as_text(command), later) == command


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("BookID", "7", "Not a valid UUID."),
        ("ReaderID", "", "This is needed."),
        ("OccurredAt", "soon", "Not a moment, such as 2025-07-01T12:00:00+00:00."),
        ("OccurredAt", "2025-07-01T12:00:00", "The time zone is missing, such as +00:00."),
    ],
)
def test_what_is_no_command_is_refused_key_by_key(key: str, text: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        from_text(slice_of(LEND_TO_BOB), {**as_text(LEND_TO_BOB), key: text}, NOON)
    assert refused.value.messages == {key: [message]}


def test_a_command_without_a_time_happens_now() -> None:
    given = {"BookID": BOOK.upper(), "ReaderID": f"urn:uuid:{BOB}"}
    assert from_text(slice_of(LEND_TO_BOB), given, NOON) == LEND_TO_BOB
