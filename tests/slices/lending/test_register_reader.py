"""Registering a reader: the right event, and the nothing. It is never refused."""

import pytest

from slices.lending.register_reader.command import RegisterReader
from slices.lending.register_reader.decide import State, boundary, decide, evolve
from slices.testing import Rules
from tests.slices.lending.world import ANN_REGISTERED, BOB, BOB_CANCELED, BOB_REGISTERED, NOON

given = Rules(boundary, State.of, evolve, decide).given

REGISTER_BOB = RegisterReader(BOB, "Bob", NOON)


def test_a_new_reader_is_registered() -> None:
    given().when(REGISTER_BOB).then(BOB_REGISTERED)


def test_a_reader_whose_contract_was_canceled_is_registered_again() -> None:
    given(BOB_REGISTERED, BOB_CANCELED).when(REGISTER_BOB).then(BOB_REGISTERED)


def test_registering_a_registered_reader_does_nothing() -> None:
    given(BOB_REGISTERED).when(REGISTER_BOB).then_nothing()
    given(BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED).when(REGISTER_BOB).then_nothing()


def test_other_readers_lie_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(ANN_REGISTERED).when(REGISTER_BOB)
