"""Returning: the right event, the refusals in their order, and the nothing."""

from typing import cast

import pytest

from slices.lending.events import ReturningBookFromReaderFailed
from slices.lending.limits import TIME_TO_COLLECT
from slices.lending.rejections import BookNeverAdded, BookNotLentToReader, ReaderNeverRegistered
from slices.lending.return_book_from_reader.command import ReturnBookFromReader
from slices.lending.return_book_from_reader.decide import Relevant, State, boundary, decide, evolve
from slices.testing import Rules
from tests.slices.lending.world import (
    ADDED,
    ANN,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    CAT,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    RETURNED_BY_BOB,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
    returned,
)

given = Rules(boundary, State.of, evolve, decide).given

RETURN_FROM_BOB = ReturnBookFromReader(BOOK, BOB, NOON)


def failed(reason: str) -> ReturningBookFromReaderFailed:
    return ReturningBookFromReaderFailed(BOOK, BOB, reason, occurred_at=NOON)


def test_a_copy_is_taken_back_from_the_reader_who_has_it() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB)


def test_a_copy_that_was_lent_again_is_taken_back_again() -> None:
    history = (ADDED, BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB, LENT_TO_BOB)
    given(*history).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB)


def test_a_reader_who_never_registered_is_refused() -> None:
    rejected = given(ADDED).when(RETURN_FROM_BOB).then_rejected(ReaderNeverRegistered(BOB))
    rejected.recorded_as(failed("ReaderNeverRegistered"))


def test_a_copy_that_was_never_added_is_refused() -> None:
    rejected = given(BOB_REGISTERED).when(RETURN_FROM_BOB).then_rejected(BookNeverAdded(BOOK))
    rejected.recorded_as(failed("BookNeverAdded"))


def test_a_copy_that_the_reader_never_had_is_refused() -> None:
    rejected = given(ADDED, BOB_REGISTERED).when(RETURN_FROM_BOB).then_rejected(BookNotLentToReader(BOOK, BOB))
    rejected.recorded_as(failed("BookNotLentToReader"))


def test_loans_to_others_are_no_loans_to_this_reader() -> None:
    others = (LENT_TO_ANN, RETURNED_BY_ANN)
    given(ADDED, BOB_REGISTERED, *others).when(RETURN_FROM_BOB).then_rejected(BookNotLentToReader)
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, *others).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB)


def test_returning_what_was_brought_back_already_does_nothing() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB).when(RETURN_FROM_BOB).then_nothing()
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB, LENT_TO_ANN).when(RETURN_FROM_BOB).then_nothing()


def test_rules_are_checked_in_order() -> None:
    given().when(RETURN_FROM_BOB).then_rejected(ReaderNeverRegistered)
    given(LENT_TO_BOB).when(RETURN_FROM_BOB).then_rejected(ReaderNeverRegistered)
    given(BOB_REGISTERED, LENT_TO_BOB).when(RETURN_FROM_BOB).then_rejected(BookNeverAdded)


@pytest.mark.parametrize("event", [REMOVED, BOB_CANCELED, lent(OTHER_BOOK, BOB), returned(OTHER_BOOK, BOB)])
def test_removals_ended_contracts_and_other_loans_do_not_matter_and_lie_outside_the_boundary(event: object) -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(ADDED, BOB_REGISTERED, LENT_TO_BOB, cast("Relevant", event)).when(RETURN_FROM_BOB)


def test_a_copy_that_somebody_waits_for_is_held_for_the_first_on_the_list() -> None:
    history = (ADDED, BOB_REGISTERED, LENT_TO_BOB, reserved(BOOK, ANN), reserved(BOOK, CAT))
    given(*history).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB, held(BOOK, ANN, NOON + TIME_TO_COLLECT))


def test_who_gave_up_came_too_late_or_got_the_copy_is_not_held_for() -> None:
    waiting = (ADDED, BOB_REGISTERED, LENT_TO_BOB, reserved(BOOK, ANN), reserved(BOOK, CAT))
    held_for_cat = held(BOOK, CAT, NOON + TIME_TO_COLLECT)
    for ended in (gave_up(BOOK, ANN), hold_expired(BOOK, ANN)):
        given(*waiting, ended).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB, held_for_cat)
    lent_to_ann = (*waiting, RETURNED_BY_BOB, LENT_TO_ANN, returned(BOOK, ANN), LENT_TO_BOB)
    given(*lent_to_ann).when(RETURN_FROM_BOB).then(RETURNED_BY_BOB, held_for_cat)


def test_a_copy_that_the_reader_no_longer_has_is_held_for_nobody() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB, reserved(BOOK, ANN)).when(RETURN_FROM_BOB).then_nothing()


def test_who_waits_for_other_copies_lies_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(reserved(OTHER_BOOK, ANN)).when(RETURN_FROM_BOB)
