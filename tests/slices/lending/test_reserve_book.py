"""Reserving: the right event, the refusals in their order, and the nothing."""

from typing import cast

import pytest

from slices.lending.events import ReservingBookFailed
from slices.lending.limits import MOST_RESERVATIONS_PER_READER
from slices.lending.rejections import (
    BookIsAvailable,
    BookLentToThisReader,
    BookNotInCirculation,
    ReaderNotRegistered,
    TooManyReservations,
)
from slices.lending.reserve_book.command import ReserveBook
from slices.lending.reserve_book.decide import Relevant, State, boundary, decide, evolve
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
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
    returned,
)

given = Rules(boundary, State.of, evolve, decide).given

RESERVE_FOR_BOB = ReserveBook(BOOK, BOB, NOON)
RESERVED_FOR_BOB = reserved(BOOK, BOB)
THREE_RESERVATIONS: list[Relevant] = [reserved(book_id(number), BOB) for number in range(MOST_RESERVATIONS_PER_READER)]


def failed(reason: str) -> ReservingBookFailed:
    return ReservingBookFailed(BOOK, BOB, reason, occurred_at=NOON)


def test_a_copy_that_another_reader_has_is_reserved() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_ANN).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


def test_a_copy_that_is_held_for_another_reader_is_reserved() -> None:
    history = (
        ADDED,
        BOB_REGISTERED,
        LENT_TO_ANN,
        RETURNED_BY_ANN,
        held(BOOK, CAT),
    )
    given(*history).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


def test_who_gave_up_came_too_late_or_had_the_copy_may_reserve_again() -> None:
    for ended in (gave_up(BOOK, BOB), hold_expired(BOOK, BOB), LENT_TO_BOB):
        history = (
            ADDED,
            BOB_REGISTERED,
            LENT_TO_ANN,
            RESERVED_FOR_BOB,
            RETURNED_BY_ANN,
            held(BOOK, BOB),
            ended,
        )
        given(*history, returned(BOOK, BOB), LENT_TO_ANN).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


def test_a_reader_who_never_registered_is_refused() -> None:
    rejected = given(ADDED, LENT_TO_ANN).when(RESERVE_FOR_BOB).then_rejected(ReaderNotRegistered(BOB))
    rejected.recorded_as(failed("ReaderNotRegistered"))


def test_a_reader_who_ended_the_contract_is_refused() -> None:
    given(ADDED, BOB_REGISTERED, BOB_CANCELED).when(RESERVE_FOR_BOB).then_rejected(ReaderNotRegistered)


def test_a_copy_that_was_never_added_or_was_removed_is_refused() -> None:
    rejected = given(BOB_REGISTERED).when(RESERVE_FOR_BOB).then_rejected(BookNotInCirculation(BOOK))
    rejected.recorded_as(failed("BookNotInCirculation"))
    given(ADDED, REMOVED, BOB_REGISTERED).when(RESERVE_FOR_BOB).then_rejected(BookNotInCirculation)


def test_reserving_what_the_reader_waits_for_does_nothing() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_ANN, RESERVED_FOR_BOB).when(RESERVE_FOR_BOB).then_nothing()
    history = (ADDED, BOB_REGISTERED, LENT_TO_ANN, RESERVED_FOR_BOB, RETURNED_BY_ANN, held(BOOK, BOB))
    given(*history).when(RESERVE_FOR_BOB).then_nothing()


def test_a_free_copy_is_refused() -> None:
    rejected = given(ADDED, BOB_REGISTERED).when(RESERVE_FOR_BOB).then_rejected(BookIsAvailable(BOOK))
    rejected.recorded_as(failed("BookIsAvailable"))
    given(ADDED, BOB_REGISTERED, LENT_TO_ANN, RETURNED_BY_ANN).when(RESERVE_FOR_BOB).then_rejected(BookIsAvailable)


@pytest.mark.parametrize("ended", [gave_up(BOOK, CAT), hold_expired(BOOK, CAT)], ids=["gave up", "expired"])
def test_a_copy_is_free_again_when_the_hold_has_ended(ended: Relevant) -> None:
    history = (
        ADDED,
        BOB_REGISTERED,
        LENT_TO_ANN,
        RETURNED_BY_ANN,
        held(BOOK, CAT),
        ended,
    )
    given(*history).when(RESERVE_FOR_BOB).then_rejected(BookIsAvailable)


def test_a_copy_stays_held_when_somebody_else_on_the_list_gives_up() -> None:
    history = (
        ADDED,
        BOB_REGISTERED,
        LENT_TO_ANN,
        RETURNED_BY_ANN,
    )
    given(*history, held(BOOK, CAT), gave_up(BOOK, ANN)).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


def test_the_reader_who_has_the_copy_is_refused() -> None:
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB).when(RESERVE_FOR_BOB).then_rejected(
        BookLentToThisReader(BOOK, BOB)
    ).recorded_as(failed("BookLentToThisReader"))


def test_a_fourth_open_reservation_is_refused_and_a_third_granted() -> None:
    history = (ADDED, BOB_REGISTERED, LENT_TO_ANN)
    rejected = given(*history, *THREE_RESERVATIONS).when(RESERVE_FOR_BOB).then_rejected(TooManyReservations(BOB))
    rejected.recorded_as(failed("TooManyReservations"))
    given(*history, *THREE_RESERVATIONS[1:]).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


@pytest.mark.parametrize(
    "ended",
    [gave_up(book_id(0), BOB), hold_expired(book_id(0), BOB), lent(book_id(0), BOB)],
    ids=["gave up", "expired", "lent"],
)
def test_reservations_that_have_ended_do_not_count(ended: Relevant) -> None:
    history = (ADDED, BOB_REGISTERED, LENT_TO_ANN, *THREE_RESERVATIONS, ended)
    given(*history).when(RESERVE_FOR_BOB).then(RESERVED_FOR_BOB)


def test_rules_are_checked_in_order() -> None:
    given(REMOVED, LENT_TO_ANN, RESERVED_FOR_BOB).when(RESERVE_FOR_BOB).then_rejected(ReaderNotRegistered)
    given(BOB_REGISTERED, RESERVED_FOR_BOB, *THREE_RESERVATIONS).when(RESERVE_FOR_BOB).then_rejected(
        BookNotInCirculation
    )
    given(ADDED, BOB_REGISTERED, RESERVED_FOR_BOB, *THREE_RESERVATIONS).when(RESERVE_FOR_BOB).then_nothing()
    given(ADDED, BOB_REGISTERED, *THREE_RESERVATIONS).when(RESERVE_FOR_BOB).then_rejected(BookIsAvailable)
    given(ADDED, BOB_REGISTERED, LENT_TO_BOB, *THREE_RESERVATIONS).when(RESERVE_FOR_BOB).then_rejected(
        BookLentToThisReader
    )


def test_other_copies_and_other_readers_lie_outside_the_boundary() -> None:
    for stranger in (added(OTHER_BOOK), ANN_REGISTERED, reserved(OTHER_BOOK, ANN), held(OTHER_BOOK, BOB)):
        with pytest.raises(AssertionError, match="outside the boundary"):
            given(stranger).when(RESERVE_FOR_BOB)


def test_who_else_waits_does_not_matter_and_lies_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(ADDED, BOB_REGISTERED, LENT_TO_ANN, cast("Relevant", reserved(BOOK, CAT))).when(RESERVE_FOR_BOB)
