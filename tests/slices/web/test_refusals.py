"""A refusal in a form: the events that it follows from, as the application tells them."""

from slices.explaining import explain
from slices.grounds import NO_GROUNDS, grounds_of
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.testing import stored
from tests.slices.lending.world import ADDED, BOB, BOB_REGISTERED, BOOK, book_id, lent
from tests.slices.web.shop import NOW, FixedEdge, Shop
from tests.slices.web.test_pages import submit, text_of


def test_a_refusal_links_to_the_events_that_it_follows_from() -> None:
    store = stored(ADDED, BOB_REGISTERED, *(lent(book_id(number), BOB) for number in range(10)))
    command = LendBookToReader(BOOK, BOB, NOW)
    for grounds, more in ((grounds_of(command, explain(store, command)), ">7 more</a>"), (NO_GROUNDS, "")):
        page = text_of(submit(Shop(store, FixedEdge(follows_from=grounds)), "/library/lend", BookID=BOOK, ReaderID=BOB))
        for number in (12, 11, 10):
            link = f'event <a href="/glass/events/{number}">#{number}</a> (BookCopyLentToReader)'
            assert (link in page) == bool(more)
        assert ("It follows from" in page) == bool(more)
        assert more in page
        assert '<a href="/glass/events/9">' not in page
