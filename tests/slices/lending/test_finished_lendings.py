"""What came back, in both orders and up to any limit: chosen from all of it, whatever was kept."""

from datetime import timedelta

import pytest

from eventstore import InMemoryEventStore, InMemorySnapshotStore, SnapshotKey
from slices.lending.finished_lendings.project import Order, Relevant, excerpt, project
from slices.lending.finished_lendings.query import FinishedLendingsHandler, boundary
from slices.questions import Replaying
from slices.snapshotted import Snapshotted
from slices.testing import stored, write
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    NOON,
    RETURNED_BY_ANN,
    added,
    book_id,
    lent,
    returned,
)


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


def test_a_lending_ends_with_the_return_and_has_both_times() -> None:
    store = stored(
        ADDED, ANN_REGISTERED, LENT_TO_ANN, returned(BOOK, ANN, NOON + hours(3)), BOB_REGISTERED, lent(BOOK, BOB)
    )
    answer = FinishedLendingsHandler(Replaying(store)).handle("newest", 100)
    [lending] = answer.view.lendings
    assert (lending.book_id, lending.title, lending.reader_id, lending.reader_name) == (BOOK, ADDED.title, ANN, "Ann")
    assert (lending.lent_at, lending.returned_at) == (NOON, NOON + hours(3))
    assert (answer.view.total, answer.position) == (1, 6)


def test_lending_the_same_copy_to_the_same_reader_twice_makes_two() -> None:
    again = (lent(BOOK, ANN, NOON + hours(1)), returned(BOOK, ANN, NOON + hours(2)))
    first, second = project([LENT_TO_ANN, RETURNED_BY_ANN, *again])
    assert (first.lent_at, first.returned_at) == (NOON, NOON)
    assert (second.lent_at, second.returned_at) == (NOON + hours(1), NOON + hours(2))


def test_a_lending_is_called_as_it_was_when_it_ended() -> None:
    renamed = added(BOOK, "Learning Domain-Driven Design, with corrections")
    [lending] = project([ADDED, ANN_REGISTERED, LENT_TO_ANN, RETURNED_BY_ANN, renamed])
    assert lending.title == ADDED.title


def test_what_never_was_lent_does_not_come_back() -> None:
    assert project([ADDED, RETURNED_BY_ANN]) == ()
    assert len(project([LENT_TO_ANN, RETURNED_BY_ANN, RETURNED_BY_ANN])) == 1


THREE_AT_ONCE_AND_AN_EARLIER_ONE: tuple[Relevant, ...] = (
    *(lent(book_id(number), ANN, NOON - hours(9)) for number in range(4)),
    *(returned(book_id(number), ANN) for number in range(3)),
    returned(book_id(3), ANN, NOON - hours(1)),
)


def books(order: Order, limit: int) -> list[str]:
    found = excerpt(project(THREE_AT_ONCE_AND_AN_EARLIER_ONE), order, limit)
    assert found.total == 4
    return [lending.book_id[-1] for lending in found.lendings]


def test_oldest_first_is_by_the_time_of_the_return_and_then_by_the_log() -> None:
    assert books("oldest", 100) == ["3", "0", "1", "2"]
    assert books("oldest", 2) == ["3", "0"]


def test_newest_first_is_oldest_first_read_backwards_also_where_times_are_equal() -> None:
    assert books("newest", 100) == ["2", "1", "0", "3"]
    assert books("newest", 1) == ["2"]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_which_are_chosen_does_not_depend_on_what_was_kept(order: Order) -> None:
    """A state that was kept after a question with a low limit still knows everything, and goes on from there."""
    store, snapshots = InMemoryEventStore(), InMemorySnapshotStore()
    kept = FinishedLendingsHandler(Snapshotted(Replaying(store), snapshots, save_after=1))
    fresh = FinishedLendingsHandler(Replaying(store))
    for number in range(6):
        # Each returns earlier than the one before it.
        at = NOON - hours(number)
        write(store, lent(book_id(number), ANN, at), returned(book_id(number), ANN, at))
        for limit in (1, 2, 100):
            assert kept.handle(order, limit) == fresh.handle(order, limit)
    assert snapshots.load(SnapshotKey.of(project.name, project.version, boundary())) is not None
