"""Claiming an address: the right events, the refusals in their order, and the nothing."""

import pytest

from slices.lending.claim_reader_email.command import ClaimReaderEmail
from slices.lending.claim_reader_email.decide import State, boundary, decide, evolve
from slices.lending.events import ClaimingReaderEmailFailed
from slices.lending.rejections import EmailAlreadyClaimed, ReaderNotRegistered
from slices.testing import Rules
from tests.slices.lending.world import (
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    CAT,
    HASH,
    NOON,
    OTHER_HASH,
    claimed,
    released,
)

given = Rules(boundary, State.of, evolve, decide).given

CLAIM_FOR_BOB = ClaimReaderEmail(BOB, HASH, NOON)


def failed(reason: str) -> ClaimingReaderEmailFailed:
    return ClaimingReaderEmailFailed(BOB, reason, occurred_at=NOON)


def test_an_address_that_nobody_has_is_claimed() -> None:
    given(BOB_REGISTERED).when(CLAIM_FOR_BOB).then(claimed(BOB))


def test_the_address_that_the_reader_had_before_is_released() -> None:
    history = (BOB_REGISTERED, claimed(BOB, OTHER_HASH))
    given(*history).when(CLAIM_FOR_BOB).then(released(BOB, OTHER_HASH), claimed(BOB))


def test_a_reader_may_go_back_to_an_address() -> None:
    history = (BOB_REGISTERED, claimed(BOB), released(BOB), claimed(BOB, OTHER_HASH))
    given(*history).when(CLAIM_FOR_BOB).then(released(BOB, OTHER_HASH), claimed(BOB))


def test_an_address_that_another_reader_released_is_claimed() -> None:
    given(BOB_REGISTERED, claimed(ANN), released(ANN)).when(CLAIM_FOR_BOB).then(claimed(BOB))


def test_an_address_that_ended_with_the_contract_is_not_released_again() -> None:
    history = (BOB_REGISTERED, claimed(BOB, OTHER_HASH), BOB_CANCELED, released(BOB, OTHER_HASH), BOB_REGISTERED)
    given(*history).when(CLAIM_FOR_BOB).then(claimed(BOB))


def test_a_reader_who_never_registered_is_refused() -> None:
    rejected = given().when(CLAIM_FOR_BOB).then_rejected(ReaderNotRegistered(BOB))
    rejected.recorded_as(failed("ReaderNotRegistered"))


def test_a_reader_who_ended_the_contract_is_refused_until_registered_again() -> None:
    given(BOB_REGISTERED, BOB_CANCELED).when(CLAIM_FOR_BOB).then_rejected(ReaderNotRegistered)
    given(BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED).when(CLAIM_FOR_BOB).then(claimed(BOB))


def test_claiming_what_the_reader_has_does_nothing() -> None:
    given(BOB_REGISTERED, claimed(BOB)).when(CLAIM_FOR_BOB).then_nothing()
    given(claimed(ANN), released(ANN), BOB_REGISTERED, claimed(BOB)).when(CLAIM_FOR_BOB).then_nothing()


def test_an_address_that_another_reader_has_is_refused_and_who_it_is_stays_untold() -> None:
    rejected = given(BOB_REGISTERED, claimed(ANN)).when(CLAIM_FOR_BOB).then_rejected(EmailAlreadyClaimed(BOB))
    rejected.recorded_as(failed("EmailAlreadyClaimed"))


def test_an_address_given_up_by_one_and_taken_by_another_is_refused_to_the_first() -> None:
    history = (BOB_REGISTERED, claimed(BOB), released(BOB), claimed(BOB, OTHER_HASH), claimed(ANN))
    given(*history).when(CLAIM_FOR_BOB).then_rejected(EmailAlreadyClaimed(BOB))


def test_what_the_reader_releases_frees_no_other_address() -> None:
    history = (BOB_REGISTERED, claimed(ANN), claimed(BOB, OTHER_HASH), released(BOB, OTHER_HASH))
    given(*history).when(CLAIM_FOR_BOB).then_rejected(EmailAlreadyClaimed(BOB))


def test_rules_are_checked_in_order() -> None:
    given(claimed(ANN)).when(CLAIM_FOR_BOB).then_rejected(ReaderNotRegistered)
    given(BOB_REGISTERED, claimed(BOB), BOB_CANCELED).when(CLAIM_FOR_BOB).then_rejected(ReaderNotRegistered)
    given(BOB_REGISTERED, claimed(BOB, OTHER_HASH), claimed(ANN)).when(CLAIM_FOR_BOB).then_rejected(EmailAlreadyClaimed)


def test_other_readers_and_their_other_addresses_lie_outside_the_boundary() -> None:
    for stranger in (ANN_REGISTERED, claimed(ANN, OTHER_HASH), released(CAT, OTHER_HASH)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(CLAIM_FOR_BOB)
