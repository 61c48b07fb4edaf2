"""Ending holds: the right events, and the nothing. The clock is the command's."""

from datetime import timedelta

import pytest

from slices.lending.expire_holds.command import ExpireHolds
from slices.lending.expire_holds.decide import Relevant, State, boundary, decide, evolve
from slices.lending.limits import TIME_TO_COLLECT
from slices.testing import Rules
from tests.slices.lending.world import (
    ANN,
    BOB,
    BOOK,
    CAT,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    gave_up,
    held,
    hold_expired,
    reserved,
)

given = Rules(boundary, State.of, evolve, decide).given

TOO_LATE = ExpireHolds(BOOK, NOON)
ENDED = held(BOOK, BOB, NOON - timedelta(microseconds=1))


def test_a_hold_past_its_time_ends() -> None:
    given(reserved(BOOK, BOB), ENDED).when(TOO_LATE).then(hold_expired(BOOK, BOB))


def test_the_copy_is_then_held_for_the_next_on_the_list() -> None:
    waiting = (reserved(BOOK, BOB), reserved(BOOK, CAT), reserved(BOOK, ANN))
    given(*waiting, ENDED).when(TOO_LATE).then(hold_expired(BOOK, BOB), held(BOOK, CAT, NOON + TIME_TO_COLLECT))


def test_until_the_last_moment_the_reader_has_time() -> None:
    given(reserved(BOOK, BOB), held(BOOK, BOB, NOON)).when(TOO_LATE).then_nothing()
    given(reserved(BOOK, BOB), held(BOOK, BOB)).when(TOO_LATE).then_nothing()


def test_a_copy_that_is_not_held_has_no_hold_to_end() -> None:
    given().when(TOO_LATE).then_nothing()
    given(reserved(BOOK, BOB)).when(TOO_LATE).then_nothing()


@pytest.mark.parametrize(
    "ended", [gave_up(BOOK, BOB), hold_expired(BOOK, BOB), LENT_TO_BOB], ids=["gave up", "expired", "lent"]
)
def test_a_hold_ends_once(ended: Relevant) -> None:
    given(reserved(BOOK, BOB), ENDED, ended).when(TOO_LATE).then_nothing()


def test_other_copies_lie_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(held(OTHER_BOOK, BOB)).when(TOO_LATE)
