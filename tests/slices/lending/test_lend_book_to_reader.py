"""Lending: the right event, the refusals in their order, and the nothing."""

from datetime import timedelta

import pytest

from slices.lending.events import LendingBookToReaderFailed
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import State, boundary, decide, evolve
from slices.lending.limits import MOST_COPIES_PER_READER
from slices.lending.rejections import (
    BookAlreadyLent,
    BookHeldForAnother,
    BookNotInCirculation,
    ReaderAtQuota,
    ReaderNotRegistered,
)
from slices.testing import Rules
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
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
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
    returned,
)

given = Rules(boundary, State.of, evolve, decide).given

LEND_TO_BOB = LendBookToReader(BOOK, BOB, NOON)
TEN_BOOKS_OF_BOB = [lent(book_id(number), BOB) for number in range(MOST_COPIES_PER_READER)]


def failed(reason: str) -> LendingBookToReaderFailed:
    return LendingBookToReaderFailed(BOOK, BOB, reason, occurred_at=NOON)


def test_a_free_copy_is_lent_to_a_registered_reader() -> None:
    given(ADDED, BOB_REGISTERED).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_a_copy_that_came_back_is_lent_again() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_ANN, RETURNED_BY_ANN).when(LEND_TO_BOB).then(LENT_TO_BOB)
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_a_copy_that_was_added_again_is_lent() -> None:
    given(ADDED, REMOVED, ADDED, BOB_REGISTERED).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_a_reader_who_registered_again_may_borrow() -> None:
    given(ADDED, BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_a_reader_who_never_registered_is_refused() -> None:
    given(ADDED).when(LEND_TO_BOB).then_rejected(ReaderNotRegistered(BOB)).recorded_as(failed("ReaderNotRegistered"))


def test_a_reader_who_ended_the_contract_is_refused() -> None:
    given(ADDED, BOB_REGISTERED, BOB_CANCELED).when(LEND_TO_BOB).then_rejected(ReaderNotRegistered)


def test_a_copy_that_was_never_added_is_refused() -> None:
    rejected = given(BOB_REGISTERED).when(LEND_TO_BOB).then_rejected(BookNotInCirculation(BOOK))
    rejected.recorded_as(failed("BookNotInCirculation"))


def test_a_copy_that_was_removed_is_refused() -> None:
    given(ADDED, REMOVED, BOB_REGISTERED).when(LEND_TO_BOB).then_rejected(BookNotInCirculation)


def test_a_copy_that_another_reader_has_is_refused_and_the_reason_says_who() -> None:
    rejected = given(ADDED, BOB_REGISTERED, LENT_TO_ANN).when(LEND_TO_BOB).then_rejected(BookAlreadyLent(BOOK, ANN))
    rejected.recorded_as(failed("BookAlreadyLent"))


def test_an_eleventh_loan_is_refused() -> None:
    rejected = given(ADDED, BOB_REGISTERED, *TEN_BOOKS_OF_BOB).when(LEND_TO_BOB).then_rejected(ReaderAtQuota(BOB))
    rejected.recorded_as(failed("ReaderAtQuota"))


def test_a_tenth_loan_is_granted() -> None:
    given(ADDED, BOB_REGISTERED, *TEN_BOOKS_OF_BOB[1:]).when(LEND_TO_BOB).then(LENT_TO_BOB)
    one_back = returned(book_id(3), BOB)
    given(ADDED, BOB_REGISTERED, *TEN_BOOKS_OF_BOB, one_back).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_loans_of_this_copy_to_others_do_not_count_for_the_quota() -> None:
    history = [event for _ in range(20) for event in (LENT_TO_ANN, RETURNED_BY_ANN)]
    given(ADDED, BOB_REGISTERED, *history).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_lending_what_the_reader_has_does_nothing() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB).when(LEND_TO_BOB).then_nothing()


def test_rules_are_checked_in_order() -> None:
    given().when(LEND_TO_BOB).then_rejected(ReaderNotRegistered)
    given(REMOVED, LENT_TO_ANN, *TEN_BOOKS_OF_BOB).when(LEND_TO_BOB).then_rejected(ReaderNotRegistered)
    given(BOB_REGISTERED, LENT_TO_ANN, *TEN_BOOKS_OF_BOB).when(LEND_TO_BOB).then_rejected(BookNotInCirculation)
    given(BOB_REGISTERED, LENT_TO_BOB).when(LEND_TO_BOB).then_rejected(BookNotInCirculation)
    given(ADDED, BOB_REGISTERED, LENT_TO_ANN, *TEN_BOOKS_OF_BOB).when(LEND_TO_BOB).then_rejected(BookAlreadyLent)
    given(ADDED, BOB_REGISTERED, *TEN_BOOKS_OF_BOB[1:], LENT_TO_BOB).when(LEND_TO_BOB).then_nothing()


def test_other_copies_and_other_readers_lie_outside_the_boundary() -> None:
    for stranger in (added(OTHER_BOOK), ANN_REGISTERED, lent(OTHER_BOOK, ANN)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(LEND_TO_BOB)


def test_a_copy_that_is_held_for_another_is_refused_and_the_reason_says_for_whom() -> None:
    rejected = given(ADDED, BOB_REGISTERED, held(BOOK, ANN)).when(LEND_TO_BOB)
    rejected.then_rejected(BookHeldForAnother(BOOK, ANN)).recorded_as(failed("BookHeldForAnother"))


def test_a_hold_past_its_time_is_a_hold_until_somebody_ends_it() -> None:
    long_ago = held(BOOK, ANN, NOON - timedelta(days=30))
    given(ADDED, BOB_REGISTERED, long_ago).when(LEND_TO_BOB).then_rejected(BookHeldForAnother)


def test_the_holder_gets_the_copy() -> None:
    given(ADDED, BOB_REGISTERED, held(BOOK, BOB)).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_a_hold_that_has_ended_keeps_nobody_off() -> None:
    for ended in (gave_up(BOOK, ANN), hold_expired(BOOK, ANN), LENT_TO_ANN):
        history = (ADDED, BOB_REGISTERED, held(BOOK, ANN), ended, RETURNED_BY_ANN)
        given(*history).when(LEND_TO_BOB).then(LENT_TO_BOB)


def test_somebody_else_who_gives_up_does_not_end_the_hold() -> None:
    history = (ADDED, BOB_REGISTERED, held(BOOK, ANN), gave_up(BOOK, CAT))
    given(*history).when(LEND_TO_BOB).then_rejected(BookHeldForAnother)


def test_a_hold_comes_before_the_quota() -> None:
    given(ADDED, BOB_REGISTERED, held(BOOK, ANN), *TEN_BOOKS_OF_BOB).when(LEND_TO_BOB).then_rejected(BookHeldForAnother)
