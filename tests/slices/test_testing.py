"""The helper fails when it should: a test that cannot fail proves nothing."""

import pytest

from slices.lending.events import LendingBookToReaderFailed
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import State, boundary, decide, evolve
from slices.lending.rejections import BookAlreadyLent, ReaderNotRegistered
from slices.testing import Rules
from tests.slices.lending.world import ADDED, ANN, BOB, BOB_REGISTERED, BOOK, LENT_TO_ANN, LENT_TO_BOB, NOON

given = Rules(boundary, State.of, evolve, decide).given
LEND_TO_BOB = LendBookToReader(BOOK, BOB, NOON)
GRANTED = given(ADDED, BOB_REGISTERED).when(LEND_TO_BOB)
REFUSED = given(ADDED, BOB_REGISTERED, LENT_TO_ANN).when(LEND_TO_BOB)


def test_another_event_than_expected_fails() -> None:
    with pytest.raises(AssertionError, match="but decided"):
        GRANTED.then(LENT_TO_ANN)
    with pytest.raises(AssertionError, match="but decided"):
        GRANTED.then(LENT_TO_BOB, LENT_TO_BOB)
    with pytest.raises(AssertionError, match="but decided"):
        REFUSED.then(LENT_TO_BOB)


def test_an_event_where_nothing_was_expected_fails() -> None:
    with pytest.raises(AssertionError, match="but decided"):
        GRANTED.then_nothing()


def test_another_reason_or_none_fails() -> None:
    with pytest.raises(AssertionError, match="but decided"):
        GRANTED.then_rejected(BookAlreadyLent)
    with pytest.raises(AssertionError, match="but decided"):
        REFUSED.then_rejected(ReaderNotRegistered)
    with pytest.raises(AssertionError, match="but decided"):
        REFUSED.then_rejected(BookAlreadyLent(BOOK, BOB))


def test_another_record_than_expected_fails() -> None:
    rejected = REFUSED.then_rejected(BookAlreadyLent(BOOK, ANN))
    with pytest.raises(AssertionError, match="record"):
        rejected.recorded_as(LendingBookToReaderFailed(BOOK, BOB, "Whim", occurred_at=NOON))
    with pytest.raises(AssertionError, match="record"):
        rejected.unrecorded()
