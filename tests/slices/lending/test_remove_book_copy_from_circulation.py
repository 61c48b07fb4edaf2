"""Taking a copy out of circulation: the right event, the refusals in their order, and the nothing."""

from typing import cast

import pytest

from slices.lending.events import RemovingBookFromCirculationFailed
from slices.lending.rejections import BookCurrentlyLent, BookNeverAdded
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.remove_book_copy_from_circulation.decide import Relevant, State, boundary, decide, evolve
from slices.testing import Rules
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    added,
    held,
    lent,
    reserved,
)

given = Rules(boundary, State.of, evolve, decide).given

REMOVE = RemoveBookCopyFromCirculation(BOOK, NOON)


def failed(reason: str) -> RemovingBookFromCirculationFailed:
    return RemovingBookFromCirculationFailed(BOOK, reason, occurred_at=NOON)


def test_a_copy_that_nobody_has_is_taken_out_of_circulation() -> None:
    given(ADDED).when(REMOVE).then(REMOVED)


def test_a_copy_that_came_back_is_taken_out_of_circulation() -> None:
    given(ADDED, LENT_TO_ANN, RETURNED_BY_ANN).when(REMOVE).then(REMOVED)
    given(ADDED, LENT_TO_ANN, RETURNED_BY_ANN, LENT_TO_BOB, RETURNED_BY_BOB).when(REMOVE).then(REMOVED)


def test_a_copy_that_was_added_again_is_taken_out_again() -> None:
    given(ADDED, REMOVED, ADDED).when(REMOVE).then(REMOVED)


def test_a_copy_that_was_never_added_is_refused() -> None:
    given().when(REMOVE).then_rejected(BookNeverAdded(BOOK)).recorded_as(failed("BookNeverAdded"))


def test_a_copy_that_a_reader_has_is_refused_and_the_reason_says_who() -> None:
    rejected = given(ADDED, LENT_TO_ANN).when(REMOVE).then_rejected(BookCurrentlyLent(BOOK, ANN))
    rejected.recorded_as(failed("BookCurrentlyLent"))
    again = given(ADDED, LENT_TO_ANN, RETURNED_BY_ANN, LENT_TO_BOB)
    again.when(REMOVE).then_rejected(BookCurrentlyLent(BOOK, BOB))


def test_taking_out_what_is_out_of_circulation_does_nothing() -> None:
    given(ADDED, REMOVED).when(REMOVE).then_nothing()


def test_rules_are_checked_in_order() -> None:
    given(LENT_TO_ANN).when(REMOVE).then_rejected(BookNeverAdded)
    given(REMOVED).when(REMOVE).then_rejected(BookNeverAdded)
    given(ADDED, REMOVED, LENT_TO_ANN).when(REMOVE).then_nothing()


def test_other_copies_lie_outside_the_boundary() -> None:
    for stranger in (added(OTHER_BOOK), lent(OTHER_BOOK, ANN)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(REMOVE)


def test_readers_and_who_waits_for_the_copy_do_not_matter_and_lie_outside_the_boundary() -> None:
    for stranger in (ANN_REGISTERED, reserved(BOOK, ANN), held(BOOK, ANN)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(ADDED, cast("Relevant", stranger)).when(REMOVE)
