"""Adding a copy: the right event, and the nothing. It is never refused."""

import pytest

from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.add_book_copy_to_circulation.decide import State, boundary, decide, evolve
from slices.testing import Rules
from tests.slices.lending.world import ADDED, BOOK, NOON, OTHER_BOOK, REMOVED, added

given = Rules(boundary, State.of, evolve, decide).given

ADD = AddBookCopyToCirculation(
    book_id=BOOK,
    isbn="9781098100131",
    title="Learning Domain-Driven Design",
    authors="Vlad Khononov",
    edition="First Edition",
    publisher="O'Reilly Media, Inc.",
    publication_year=2021,
    occurred_at=NOON,
)


def test_a_new_copy_is_added() -> None:
    given().when(ADD).then(ADDED)


def test_a_copy_that_was_removed_is_added_again() -> None:
    given(ADDED, REMOVED).when(ADD).then(ADDED)


def test_adding_a_copy_that_is_in_circulation_does_nothing() -> None:
    given(ADDED).when(ADD).then_nothing()
    given(ADDED, REMOVED, ADDED).when(ADD).then_nothing()


def test_another_copy_of_the_same_title_lies_outside_the_boundary() -> None:
    with pytest.raises(AssertionError, match="outside the boundary"):
        given(added(OTHER_BOOK)).when(ADD)
