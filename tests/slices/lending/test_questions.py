"""What the library answers."""

from datetime import timedelta

from slices.lending.books_in_circulation.project import project as books_in_circulation
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.books_lent_by_reader.query import BooksLentByReaderHandler
from slices.lending.events import BookCopyAddedToCirculation
from slices.lending.registered_readers.project import project as registered_readers
from slices.lending.registered_readers.query import RegisteredReadersHandler
from slices.questions import Replaying
from slices.testing import stored
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    added,
    book_id,
    lent,
    returned,
)


def test_the_catalogue_tells_what_is_lent() -> None:
    catalogue = books_in_circulation([ADDED, added(OTHER_BOOK), LENT_TO_ANN])
    assert [(book.book_id, book.is_lent) for book in catalogue] == [(BOOK, True), (OTHER_BOOK, False)]
    assert not books_in_circulation([ADDED, LENT_TO_ANN, RETURNED_BY_ANN])[0].is_lent


def test_a_removed_copy_is_not_in_the_catalogue_and_comes_back_free() -> None:
    assert books_in_circulation([ADDED, LENT_TO_ANN, REMOVED, RETURNED_BY_ANN]) == ()
    [book] = books_in_circulation([ADDED, LENT_TO_ANN, RETURNED_BY_ANN, REMOVED, ADDED])
    assert not book.is_lent


def test_the_catalogue_is_in_the_order_of_being_added() -> None:
    earlier = BookCopyAddedToCirculation(
        book_id(1), "9781098100131", "T", "A", "E", "P", 2021, occurred_at=NOON - timedelta(days=1)
    )
    catalogue = books_in_circulation([added(OTHER_BOOK), ADDED, earlier])
    assert [book.book_id for book in catalogue] == [book_id(1), OTHER_BOOK, BOOK]


def test_the_catalogue_has_the_bibliographic_data_and_its_position() -> None:
    answer = BooksInCirculationHandler(Replaying(stored(ANN_REGISTERED, ADDED, BOB_REGISTERED))).handle()
    [book] = answer.view
    assert (book.isbn, book.publication_year, book.added_at) == (ADDED.isbn, 2021, NOON)
    assert answer.position == 3


def test_readers_who_canceled_are_not_listed_and_those_who_came_back_are_last() -> None:
    assert [reader.name for reader in registered_readers([ANN_REGISTERED, BOB_REGISTERED])] == ["Ann", "Bob"]
    assert [reader.name for reader in registered_readers([BOB_REGISTERED, ANN_REGISTERED, BOB_CANCELED])] == ["Ann"]
    answer = RegisteredReadersHandler(
        Replaying(stored(BOB_REGISTERED, ANN_REGISTERED, BOB_CANCELED, BOB_REGISTERED))
    ).handle()
    assert [reader.name for reader in answer.view] == ["Ann", "Bob"]
    assert answer.position == 4


def test_a_reader_has_what_was_lent_and_not_returned() -> None:
    later = NOON + timedelta(hours=1)
    store = stored(
        added(OTHER_BOOK, "Dune"),
        ADDED,
        ANN_REGISTERED,
        lent(OTHER_BOOK, ANN, later),
        LENT_TO_ANN,
        lent(book_id(3), BOB),
        lent(book_id(4), ANN),
        returned(book_id(4), ANN),
    )
    answer = BooksLentByReaderHandler(Replaying(store)).handle(ANN)
    assert answer.view is not None
    assert (answer.view.name, answer.view.is_registered, answer.position) == ("Ann", True, 8)
    assert [(loan.title, loan.since) for loan in answer.view.loans] == [(ADDED.title, NOON), ("Dune", later)]


def test_a_reader_whose_contract_ended_still_has_the_books() -> None:
    view = BooksLentByReaderHandler(Replaying(stored(BOB_REGISTERED, LENT_TO_BOB, BOB_CANCELED))).handle(BOB).view
    assert view is not None
    assert (view.is_registered, [loan.book_id for loan in view.loans]) == (False, [BOOK])


def test_a_reader_without_books_and_nobody_are_two_answers() -> None:
    handler = BooksLentByReaderHandler(Replaying(stored(ANN_REGISTERED, LENT_TO_BOB)))
    ann = handler.handle(ANN).view
    assert ann is not None
    assert ann.loans == ()
    assert handler.handle(BOB).view is None
