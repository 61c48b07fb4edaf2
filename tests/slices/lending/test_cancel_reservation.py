"""Giving up a reservation: the right events, and the nothing."""

from datetime import timedelta

import pytest

from slices.lending.cancel_reservation.command import CancelReservation
from slices.lending.cancel_reservation.decide import Relevant, State, boundary, decide, evolve
from slices.lending.events import BookHeldForReader, BookReservationCanceled
from slices.lending.limits import TIME_TO_COLLECT
from slices.testing import Rules
from tests.slices.lending.world import (
    ANN,
    BOB,
    BOOK,
    CAT,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    gave_up,
    held,
    hold_expired,
    reserved,
)

given = Rules(boundary, State.of, evolve, decide).given

CANCEL_FOR_BOB = CancelReservation(BOOK, BOB, NOON)


def test_a_reader_who_waits_is_taken_off_the_list() -> None:
    given(LENT_TO_ANN, reserved(BOOK, BOB)).when(CANCEL_FOR_BOB).then(gave_up(BOOK, BOB))
    given(LENT_TO_ANN, reserved(BOOK, CAT), reserved(BOOK, BOB)).when(CANCEL_FOR_BOB).then(gave_up(BOOK, BOB))


def test_a_hold_ends_with_the_reservation() -> None:
    given(reserved(BOOK, BOB), held(BOOK, BOB)).when(CANCEL_FOR_BOB).then(gave_up(BOOK, BOB))


def test_the_copy_is_then_held_for_the_next_on_the_list() -> None:
    waiting = (reserved(BOOK, BOB), reserved(BOOK, CAT), reserved(BOOK, ANN), held(BOOK, BOB))
    now = NOON + timedelta(hours=5)
    bob_gives_up = CancelReservation(BOOK, BOB, now)
    gives_up = BookReservationCanceled(BOOK, BOB, occurred_at=now)
    held_for_cat = BookHeldForReader(BOOK, CAT, now + TIME_TO_COLLECT, occurred_at=now)
    given(*waiting).when(bob_gives_up).then(gives_up, held_for_cat)


def test_nobody_is_next_as_long_as_the_hold_is_of_another() -> None:
    waiting = (reserved(BOOK, CAT), reserved(BOOK, BOB), reserved(BOOK, ANN), held(BOOK, CAT))
    given(*waiting).when(CANCEL_FOR_BOB).then(gave_up(BOOK, BOB))


def test_who_does_not_wait_has_nothing_to_cancel() -> None:
    given().when(CANCEL_FOR_BOB).then_nothing()
    given(reserved(BOOK, CAT), held(BOOK, CAT)).when(CANCEL_FOR_BOB).then_nothing()


@pytest.mark.parametrize(
    "ended", [gave_up(BOOK, BOB), hold_expired(BOOK, BOB), LENT_TO_BOB], ids=["gave up", "expired", "lent"]
)
def test_what_has_ended_cannot_be_canceled(ended: Relevant) -> None:
    given(reserved(BOOK, BOB), held(BOOK, BOB), ended).when(CANCEL_FOR_BOB).then_nothing()


def test_other_copies_lie_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(reserved(OTHER_BOOK, BOB)).when(CANCEL_FOR_BOB)
