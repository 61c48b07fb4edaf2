"""What the library answers."""

from datetime import timedelta

from slices.lending.books_in_circulation.project import project as books_in_circulation
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.books_lent_by_reader.query import BooksLentByReaderHandler
from slices.lending.books_lent_out.query import BooksLentOutHandler
from slices.lending.canceled_readers.project import project as canceled_readers
from slices.lending.canceled_readers.query import CanceledReadersHandler
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyRemovedFromCirculation,
    ReaderContractCanceled,
    ReaderRegistered,
)
from slices.lending.registered_readers.project import project as registered_readers
from slices.lending.registered_readers.query import RegisteredReadersHandler
from slices.lending.removed_books.project import project as removed_books
from slices.lending.removed_books.query import RemovedBooksHandler
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

LATER = NOON + timedelta(hours=1)


def test_the_catalogue_tells_what_is_lent() -> None:
    catalogue = books_in_circulation([ADDED, added(OTHER_BOOK), LENT_TO_ANN])
    assert [(book.book_id, book.is_lent) for book in catalogue] == [(BOOK, True), (OTHER_BOOK, False)]
    assert not books_in_circulation([ADDED, LENT_TO_ANN, RETURNED_BY_ANN])[0].is_lent


def test_the_catalogue_tells_what_is_held_until_the_reader_comes_gives_up_or_is_too_late() -> None:
    history = (ADDED, LENT_TO_ANN, RETURNED_BY_ANN, held(BOOK, BOB))
    [book] = books_in_circulation(history)
    assert (book.is_lent, book.held_for, book.is_free) == (False, BOB, False)
    [still_held] = books_in_circulation([*history, gave_up(BOOK, CAT)])
    assert still_held.held_for == BOB
    for ended in (gave_up(BOOK, BOB), hold_expired(BOOK, BOB)):
        assert books_in_circulation([*history, ended])[0].is_free
    [lent_out] = books_in_circulation([*history, LENT_TO_BOB])
    assert (lent_out.is_lent, lent_out.held_for) == (True, None)
    assert books_in_circulation([gave_up(BOOK, BOB), held(BOOK, BOB)]) == ()
    [added_again] = books_in_circulation([*history, REMOVED, ADDED])
    assert added_again.held_for == BOB, "as the rules of lending have it"


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
    store = stored(
        added(OTHER_BOOK, "Dune"),
        ADDED,
        ANN_REGISTERED,
        lent(OTHER_BOOK, ANN, LATER),
        LENT_TO_ANN,
        lent(book_id(3), BOB),
        lent(book_id(4), ANN),
        returned(book_id(4), ANN),
    )
    answer = BooksLentByReaderHandler(Replaying(store)).handle(ANN)
    assert answer.view is not None
    assert (answer.view.name, answer.view.is_registered, answer.position) == ("Ann", True, 8)
    assert [(loan.title, loan.since) for loan in answer.view.loans] == [(ADDED.title, NOON), ("Dune", LATER)]


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


def test_a_reader_waits_for_what_was_reserved_until_it_is_lent_or_given_up() -> None:
    gone = [book_id(number) for number in range(3)]
    store = stored(
        ADDED,
        added(OTHER_BOOK, "Dune"),
        ANN_REGISTERED,
        reserved(OTHER_BOOK, ANN, LATER),
        reserved(BOOK, ANN),
        reserved(BOOK, BOB),
        held(BOOK, ANN),
        *(reserved(book, ANN) for book in gone),
        gave_up(gone[0], ANN),
        hold_expired(gone[1], ANN),
        lent(gone[2], ANN),
        returned(gone[2], ANN),
    )
    ann = BooksLentByReaderHandler(Replaying(store)).handle(ANN).view
    assert ann is not None
    assert ann.loans == ()
    assert [(copy.title, copy.since, copy.held_until) for copy in ann.reservations] == [
        (ADDED.title, NOON, held(BOOK, ANN).held_until),
        ("Dune", LATER, None),
    ]


def test_what_is_out_is_listed_with_who_has_it_longest_away_first() -> None:
    store = stored(
        ADDED,
        added(OTHER_BOOK, "Dune"),
        ANN_REGISTERED,
        BOB_REGISTERED,
        lent(OTHER_BOOK, BOB, LATER),
        LENT_TO_ANN,
        lent(book_id(1), ANN),
        lent(book_id(2), ANN),
        returned(book_id(2), ANN),
    )
    answer = BooksLentOutHandler(Replaying(store)).handle()
    out = [(book.book_id, book.title, book.reader_id, book.reader_name, book.since) for book in answer.view]
    assert out == [
        (BOOK, ADDED.title, ANN, "Ann", NOON),
        (book_id(1), "", ANN, "Ann", NOON),
        (OTHER_BOOK, "Dune", BOB, "Bob", LATER),
    ]
    assert (answer.view[0].authors, answer.position) == (ADDED.authors, 9)


def test_a_copy_that_is_lent_again_is_out_since_then_and_stands_behind_what_was_lent_before() -> None:
    again = (LENT_TO_ANN, lent(OTHER_BOOK, ANN), RETURNED_BY_ANN, LENT_TO_BOB)
    answer = BooksLentOutHandler(Replaying(stored(*again))).handle()
    assert [(book.book_id, book.reader_id) for book in answer.view] == [(OTHER_BOOK, ANN), (BOOK, BOB)]


def test_former_readers_are_listed_by_the_end_of_their_contract() -> None:
    ann_canceled = ReaderContractCanceled(ANN, occurred_at=NOON - timedelta(days=1))
    answer = CanceledReadersHandler(
        Replaying(stored(ANN_REGISTERED, BOB_REGISTERED, BOB_CANCELED, ADDED, ann_canceled))
    ).handle()
    assert [(reader.name, reader.canceled_at) for reader in answer.view] == [
        ("Ann", ann_canceled.occurred_at),
        ("Bob", NOON),
    ]
    assert answer.position == 5


def test_who_registered_again_is_no_former_reader() -> None:
    assert canceled_readers([BOB_REGISTERED, BOB_CANCELED, BOB_REGISTERED]) == ()
    robert = ReaderRegistered(BOB, "Robert", occurred_at=NOON)
    [reader] = canceled_readers([BOB_REGISTERED, BOB_CANCELED, robert, ReaderContractCanceled(BOB, occurred_at=LATER)])
    assert (reader.name, reader.canceled_at) == ("Robert", LATER)


def test_a_contract_that_never_began_or_has_ended_before_does_not_end() -> None:
    assert canceled_readers([BOB_CANCELED]) == ()
    [bob] = canceled_readers([BOB_REGISTERED, BOB_CANCELED, ReaderContractCanceled(BOB, occurred_at=LATER)])
    assert bob.canceled_at == NOON


def test_removed_copies_are_listed_with_their_bibliographic_data() -> None:
    early = BookCopyRemovedFromCirculation(OTHER_BOOK, occurred_at=NOON - timedelta(days=1))
    answer = RemovedBooksHandler(
        Replaying(stored(ADDED, added(OTHER_BOOK, "Dune"), added(book_id(1)), REMOVED, early))
    ).handle()
    assert [(removed.book.title, removed.removed_at) for removed in answer.view] == [
        ("Dune", early.occurred_at),
        (ADDED.title, NOON),
    ]
    book = answer.view[1].book
    assert (book.isbn, book.authors, book.edition) == (ADDED.isbn, ADDED.authors, ADDED.edition)
    assert (book.publisher, book.publication_year, answer.position) == (ADDED.publisher, 2021, 5)


def test_a_copy_that_was_added_again_is_not_removed() -> None:
    assert removed_books([ADDED, REMOVED, ADDED]) == ()
    [removed] = removed_books(
        [ADDED, REMOVED, added(BOOK, "Dune"), BookCopyRemovedFromCirculation(BOOK, occurred_at=LATER)]
    )
    assert (removed.book.title, removed.removed_at) == ("Dune", LATER)


def test_a_copy_that_was_never_added_or_was_removed_before_is_not_removed() -> None:
    assert removed_books([REMOVED]) == ()
    [removed] = removed_books([ADDED, REMOVED, BookCopyRemovedFromCirculation(BOOK, occurred_at=LATER)])
    assert removed.removed_at == NOON
