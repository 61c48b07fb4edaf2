"""Lists of books, readers and courses: what people see, and what they can do about each line."""

from datetime import timedelta

import pytest

from slices.lending.events import BookCopyRemovedFromCirculation, ReaderRegistered
from slices.testing import stored
from tests.slices.enrollment.world import EVE, EVE_REGISTERED, LATIN, LATIN_DEFINED, enrolled
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_CANCELED,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    added,
    book_id,
    held,
    lent,
    reserved,
    returned,
)
from tests.slices.web.shop import NOW, Shop
from tests.slices.web.test_pages import flashed, see, submit

LENDINGS = [
    event
    for number in range(120)
    for event in (
        lent(book_id(number), ANN, NOON + timedelta(minutes=number)),
        returned(book_id(number), ANN, NOON + timedelta(minutes=number)),
    )
]


def test_people_see_what_is_out_and_take_it_back_there() -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, LENT_TO_ANN))
    page = see(shop, "/library/books/lent")
    assert "1 copy is with readers" in page
    assert f'<a href="/library/readers/{ANN}">Ann</a>' in page
    assert 'aria-label="Return Learning Domain-Driven Design"' in page
    assert 'value="/library/books/lent?page=1"' in page
    submit(shop, "/library/return", BookID=BOOK, ReaderID=ANN)
    assert "No copy is out." in see(shop, "/library/books/lent")


def test_people_see_what_came_back_in_either_order() -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, *LENDINGS))
    newest, oldest = see(shop, "/library/lendings"), see(shop, "/library/lendings?order=oldest")
    assert "120 finished, by the time of the return, newest first" in newest
    assert f"/library/books/{book_id(119)}" in newest
    assert f"/library/books/{book_id(0)}" in oldest
    assert "?order=oldest&amp;page=2" in oldest
    assert see(shop, "/library/lendings?order=nonsense") == newest


def test_former_readers_and_removed_copies_can_come_back() -> None:
    shop = Shop(stored(ADDED, REMOVED, BOB_REGISTERED, BOB_CANCELED))
    assert f"/library/readers/register?ReaderID={BOB}&amp;Name=Bob" in see(shop, "/library/readers/canceled")
    page = see(shop, "/library/books/removed")
    again = page.split('href="/library/books/add?')[1].split('"')[0].replace("&amp;", "&")
    form = see(shop, f"/library/books/add?{again}")
    for value in (BOOK, ADDED.isbn, ADDED.title, ADDED.edition, "O&#39;Reilly Media, Inc.", "2021"):
        assert f'value="{value}"' in form
    submit(shop, "/library/readers/register", ReaderID=BOB, Name="Bob")
    assert "Nobody has ended the contract." in see(shop, "/library/readers/canceled")


RESERVED_BY_BOTH = (
    ADDED,
    ANN_REGISTERED,
    BOB_REGISTERED,
    reserved(BOOK, ANN),
    reserved(BOOK, BOB),
)


def test_a_hold_in_time_can_be_lent_and_one_past_its_time_ends_by_a_button() -> None:
    in_time = see(Shop(stored(*RESERVED_BY_BOTH, held(BOOK, ANN, NOW))), "/library/waiting")
    assert "past its time" not in in_time
    assert f'aria-label="Lend: {ADDED.title} to Ann"' in in_time

    shop = Shop(stored(*RESERVED_BY_BOTH, held(BOOK, ANN, NOW - timedelta(seconds=1))))
    page = see(shop, "/library/waiting")
    assert "past its time" in page
    assert f'aria-label="End the hold: {ADDED.title}"' in page
    ended = submit(shop, "/library/holds/expire", BookID=BOOK, next="/library/waiting")
    assert (ended.status_code, ended.location) == (303, "/library/waiting")
    [(_, notice)] = flashed(shop)
    assert notice["text"] == "The hold has ended."
    page = see(shop, "/library/waiting")
    assert "past its time" not in page
    assert f'aria-label="Lend: {ADDED.title} to Bob"' in page


def test_a_reservation_is_canceled_on_the_list() -> None:
    shop = Shop(stored(*RESERVED_BY_BOTH))
    page = see(shop, "/library/waiting")
    assert page.index(">Ann</a>") < page.index(">Bob</a>")
    assert f'aria-label="Cancel reservation: Bob, {ADDED.title}"' in page
    for reader in (ANN, BOB):
        submit(shop, "/library/cancel-reservation", BookID=BOOK, ReaderID=reader)
    assert "Nobody waits for a copy, and none is held." in see(shop, "/library/waiting")


def test_a_reader_sees_what_is_ready_and_what_is_not() -> None:
    shop = Shop(stored(*RESERVED_BY_BOTH, held(BOOK, ANN)))
    assert "held</span> until" in see(shop, f"/library/readers/{ANN}")
    assert ">waits</span>" in see(shop, f"/library/readers/{BOB}")
    assert 'action="/library/cancel-reservation"' in see(shop, f"/library/readers/{BOB}")


def test_a_student_sees_the_courses_and_a_way_out_of_each() -> None:
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED))
    assert "In no course yet." in see(shop, f"/school/students/{EVE}")
    shop = Shop(stored(LATIN_DEFINED, EVE_REGISTERED, enrolled(EVE, LATIN)))
    page = see(shop, f"/school/students/{EVE}")
    assert "1 of 10 courses" in page
    assert f'href="/school/courses/{LATIN}">Latin</a>' in page
    assert f"/glass/events?StudentID={EVE}" in page
    way_out = page.split('<form method="post" action="/school/withdraw">')[1].split("</form>")[0]
    for name, value in (("StudentID", EVE), ("CourseID", LATIN), ("next", f"/school/students/{EVE}")):
        assert f'name="{name}" value="{value}"' in way_out
    assert 'name="csrf_token"' in way_out
    assert f"/school/students/{EVE}" in see(shop, "/school/students")
    assert f"/school/students/{EVE}" in see(shop, f"/school/courses/{LATIN}")


LISTS = [
    ("/library/books", "All"),
    ("/library/books/lent", "Lent out"),
    ("/library/waiting", "Waiting lists"),
    ("/library/lendings", "Finished lendings"),
    ("/library/books/removed", "Removed"),
    ("/library/readers", "Registered"),
    ("/library/readers/canceled", "Canceled"),
]


@pytest.mark.parametrize(("path", "label"), LISTS)
def test_each_list_links_to_its_neighbours_and_marks_itself(path: str, label: str) -> None:
    page = see(Shop(), path)
    kind = "readers" if "readers" in path else "books"
    links = page.split(f'aria-label="Lists of {kind}">')[1].split("</nav>")[0]
    assert links.count("aria-current") == 1
    assert f'<a href="{path}" aria-current="page">{label}</a>' in links
    assert links.count("<a ") == (2 if kind == "readers" else 5)


def test_long_lists_have_pages() -> None:
    shop = Shop(stored(*(lent(book_id(number), ANN) for number in range(30))))
    assert f"/library/books/{book_id(29)}" not in see(shop, "/library/books/lent")
    assert f"/library/books/{book_id(29)}" in see(shop, "/library/books/lent?page=2")
    shop = Shop(stored(*(reserved(book_id(number), ANN) for number in range(30))))
    assert f"/library/books/{book_id(29)}" not in see(shop, "/library/waiting")
    page = see(shop, "/library/waiting?page=2")
    assert f"/library/books/{book_id(29)}" in page
    assert 'name="next" value="/library/waiting?page=2"' in page


def test_names_and_titles_are_escaped() -> None:
    evil = "<script>alert(1)</script>"
    shop = Shop(
        stored(
            *(added(book, evil) for book in (BOOK, OTHER_BOOK, book_id(1))),
            *(ReaderRegistered(reader, evil, occurred_at=NOON) for reader in (ANN, BOB)),
            lent(BOOK, ANN),
            RETURNED_BY_ANN,
            held(BOOK, ANN),
            lent(OTHER_BOOK, ANN),
            reserved(OTHER_BOOK, BOB),
            BookCopyRemovedFromCirculation(book_id(1), occurred_at=NOON),
            BOB_CANCELED,
        )
    )
    for path, _ in LISTS:
        page = see(shop, path)
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
