"""Ending a contract: the right events, the refusals in their order, and the nothing."""

import pytest

from slices.lending.cancel_reader_contract.command import CancelReaderContract
from slices.lending.cancel_reader_contract.decide import State, boundary, decide, evolve
from slices.lending.events import CancelingReaderContractFailed
from slices.lending.rejections import ReaderHasOutstandingLoans, ReaderNeverRegistered
from slices.testing import Rules
from tests.slices.lending.world import (
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    OTHER_HASH,
    RETURNED_BY_BOB,
    claimed,
    lent,
    released,
    returned,
)

given = Rules(boundary, State.of, evolve, decide).given

CANCEL_BOB = CancelReaderContract(BOB, NOON)


def failed(reason: str) -> CancelingReaderContractFailed:
    return CancelingReaderContractFailed(BOB, reason, occurred_at=NOON)


def test_the_contract_of_a_reader_without_books_ends() -> None:
    given(BOB_REGISTERED).when(CANCEL_BOB).then(BOB_CANCELED)
    given(BOB_REGISTERED, LENT_TO_BOB, RETURNED_BY_BOB).when(CANCEL_BOB).then(BOB_CANCELED)


def test_the_address_is_released_with_it() -> None:
    given(BOB_REGISTERED, claimed(BOB)).when(CANCEL_BOB).then(BOB_CANCELED, released(BOB))


def test_of_several_addresses_the_one_the_reader_has_now_is_released() -> None:
    history = (BOB_REGISTERED, claimed(BOB), released(BOB), claimed(BOB, OTHER_HASH))
    given(*history).when(CANCEL_BOB).then(BOB_CANCELED, released(BOB, OTHER_HASH))


def test_an_address_is_released_once() -> None:
    history = (BOB_REGISTERED, claimed(BOB), BOB_CANCELED, released(BOB), BOB_REGISTERED)
    given(*history).when(CANCEL_BOB).then(BOB_CANCELED)


def test_a_contract_that_began_again_can_end_again() -> None:
    given(BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED).when(CANCEL_BOB).then(BOB_CANCELED)


def test_a_reader_who_never_registered_is_refused() -> None:
    rejected = given().when(CANCEL_BOB).then_rejected(ReaderNeverRegistered(BOB))
    rejected.recorded_as(failed("ReaderNeverRegistered"))


def test_ending_a_contract_that_has_ended_does_nothing() -> None:
    given(BOB_REGISTERED, BOB_CANCELED).when(CANCEL_BOB).then_nothing()


def test_a_reader_who_has_books_is_refused_and_the_reason_says_how_many() -> None:
    history = (BOB_REGISTERED, LENT_TO_BOB, lent(OTHER_BOOK, BOB))
    rejected = given(*history).when(CANCEL_BOB).then_rejected(ReaderHasOutstandingLoans(BOB, copies=2))
    rejected.recorded_as(failed("ReaderHasOutstandingLoans"))
    history_of_one = (*history, returned(OTHER_BOOK, BOB))
    given(*history_of_one).when(CANCEL_BOB).then_rejected(ReaderHasOutstandingLoans(BOB, copies=1))


def test_rules_are_checked_in_order() -> None:
    given(LENT_TO_BOB).when(CANCEL_BOB).then_rejected(ReaderNeverRegistered)
    given(BOB_REGISTERED, LENT_TO_BOB, BOB_CANCELED).when(CANCEL_BOB).then_nothing()
    given(BOB_REGISTERED, claimed(BOB), LENT_TO_BOB).when(CANCEL_BOB).then_rejected(ReaderHasOutstandingLoans)


def test_other_readers_lie_outside_the_boundary() -> None:
    for stranger in (ANN_REGISTERED, LENT_TO_ANN, claimed(ANN)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(CANCEL_BOB)
