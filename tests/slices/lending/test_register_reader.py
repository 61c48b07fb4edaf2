"""Registering a reader, with an address or without: the right events, the refusal, and the nothing."""

import pytest

from slices.lending.events import ClaimingReaderEmailFailed
from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.decide import State, boundary, decide, evolve
from slices.lending.rejections import EmailAlreadyClaimed
from slices.testing import Rules
from tests.slices.lending.world import (
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    HASH,
    NOON,
    OTHER_HASH,
    claimed,
    released,
)

given = Rules(boundary, State.of, evolve, decide).given

REGISTER_BOB = RegisterReader(BOB, "Bob", NOON)
REGISTER_BOB_WITH_ADDRESS = RegisterReader(BOB, "Bob", NOON, HASH)
BOTH = pytest.mark.parametrize("command", [REGISTER_BOB, REGISTER_BOB_WITH_ADDRESS], ids=["without", "with address"])


def test_a_new_reader_is_registered() -> None:
    given().when(REGISTER_BOB).then(BOB_REGISTERED)


def test_a_new_reader_with_an_address_is_registered_and_has_it() -> None:
    given().when(REGISTER_BOB_WITH_ADDRESS).then(BOB_REGISTERED, claimed(BOB))


def test_a_reader_whose_contract_was_canceled_is_registered_again() -> None:
    given(BOB_REGISTERED, BOB_CANCELED).when(REGISTER_BOB).then(BOB_REGISTERED)


def test_a_reader_who_comes_back_may_have_the_same_address_again() -> None:
    history = (BOB_REGISTERED, claimed(BOB), BOB_CANCELED, released(BOB))
    given(*history).when(REGISTER_BOB_WITH_ADDRESS).then(BOB_REGISTERED, claimed(BOB))


def test_an_address_that_another_reader_released_is_claimed() -> None:
    given(claimed(ANN), released(ANN)).when(REGISTER_BOB_WITH_ADDRESS).then(BOB_REGISTERED, claimed(BOB))


@BOTH
def test_registering_a_registered_reader_does_nothing(command: RegisterReader) -> None:
    given(BOB_REGISTERED).when(command).then_nothing()
    given(BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED).when(command).then_nothing()


def test_an_address_that_another_reader_has_is_refused() -> None:
    rejected = given(claimed(ANN)).when(REGISTER_BOB_WITH_ADDRESS).then_rejected(EmailAlreadyClaimed(BOB))
    rejected.recorded_as(ClaimingReaderEmailFailed(BOB, "EmailAlreadyClaimed", occurred_at=NOON))


def test_rules_are_checked_in_order() -> None:
    given(BOB_REGISTERED, claimed(ANN)).when(REGISTER_BOB_WITH_ADDRESS).then_nothing()


def test_an_address_left_behind_by_a_contract_that_ended_is_still_the_reader_s_own() -> None:
    """No command leads here: a contract ends together with its address, in one append."""
    history = (BOB_REGISTERED, claimed(BOB), BOB_CANCELED)
    given(*history).when(REGISTER_BOB_WITH_ADDRESS).then(BOB_REGISTERED, claimed(BOB))


@BOTH
def test_other_readers_and_addresses_lie_outside_the_boundary(command: RegisterReader) -> None:
    for stranger in (ANN_REGISTERED, claimed(ANN, OTHER_HASH), claimed(BOB, OTHER_HASH)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(command)


def test_without_an_address_no_address_lies_in_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(claimed(BOB)).when(REGISTER_BOB)
