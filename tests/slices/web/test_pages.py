"""What people get: forms that keep what was typed, plain words, and lists."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from eventstore import (
    EventStream,
    Filter,
    FilterBuilder,
)
from slices.codec import decode
from slices.enrollment.events import CourseDefined
from slices.lending.events import BookCopyLentToReader, ReaderRegistered
from slices.testing import stored, write
from tests.slices.lending.races import RACES
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
    added,
    book_id,
    lent,
)
from tests.slices.races import Interrupted, carry_out
from tests.slices.web.shop import NOW, Shop
from tests.wrapped_store import WrappedStore

FORMS = [
    ("/library/books/add", "BookID"),
    ("/library/readers/register", "ReaderID"),
    ("/library/lend", "BookID"),
    ("/library/return", "BookID"),
    ("/school/courses/define", "CourseID"),
    ("/school/students/register", "StudentID"),
    ("/school/enroll", "CourseID"),
]


def text_of(response: TestResponse) -> str:
    return " ".join(response.get_data(as_text=True).split())


def submit(shop: Shop, path: str, **typed: str) -> TestResponse:
    return shop.browser.post(path, data={"csrf_token": "token", **typed})


def see(shop: Shop, path: str) -> str:
    response = shop.browser.get(path)
    assert response.status_code == 200
    return text_of(response)


def flashed(shop: Shop) -> list[Any]:
    with shop.browser.session_transaction() as session:
        found = session["_flashes"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("path", "key"), FORMS)
def test_a_form_is_filled_in_from_its_address(path: str, key: str) -> None:
    shop = Shop()
    assert BOOK in see(shop, f"{path}?{key}={BOOK}")
    assert "&lt;b&gt;" in see(shop, f"{path}?{key}=<b>")
    assert BOOK not in see(shop, f"{path}?Unknown={BOOK}")


def test_a_copy_is_lent_by_form() -> None:
    shop = Shop(stored(ADDED, BOB_REGISTERED))
    response = submit(shop, "/library/lend", BookID=BOOK.upper(), ReaderID=BOB)
    assert (response.status_code, response.location) == (303, f"/library/books/{BOOK}")
    [(category, notice)] = flashed(shop)
    assert (category, notice["text"], notice["events"]) == ("written", "The copy is lent.", [3])
    assert [step for step, _ in notice["went"]["steps"]] == ["query", "decide", "append"]
    assert (notice["went"]["attempts"], notice["went"]["between"]) == (1, [])
    *_, event = shop.store.query(FilterBuilder().matching_any_event())
    assert decode(event) == BookCopyLentToReader(BOOK, BOB, occurred_at=NOW)


def test_who_was_quicker_is_said_with_the_refusal_and_with_the_success() -> None:
    refused, granted = RACES["two readers want one copy"], RACES["ninth and tenth copy, one of which came back before"]
    for race, status in ((refused, 409), (granted, 303)):
        store = stored(*race.given)
        shop = Shop(Interrupted(store, lambda race=race, store=store: carry_out(race.quicker, store)))  # type: ignore[misc]
        response = submit(shop, "/library/lend", BookID=race.slower.book_id, ReaderID=race.slower.reader_id)
        between = len(race.given) + 1
        assert response.status_code == status
        if status == 409:
            assert f'Somebody was quicker: event <a href="/glass/events/{between}">' in " ".join(
                text_of(response).split()
            )
        else:
            [(_, notice)] = flashed(shop)
            assert (notice["went"]["attempts"], notice["went"]["between"]) == (2, [(between, "BookCopyLentToReader")])


def test_what_is_the_case_already_is_said_kindly() -> None:
    shop = Shop(stored(ADDED, BOB_REGISTERED, LENT_TO_BOB))
    assert submit(shop, "/library/lend", BookID=BOOK, ReaderID=BOB).status_code == 303
    [(category, notice)] = flashed(shop)
    assert (category, notice["text"], notice["events"]) == ("nothing", "The reader has this copy already.", [])


def test_a_refusal_keeps_the_form_and_says_why() -> None:
    response = submit(
        Shop(stored(ADDED, BOB_REGISTERED, LENT_TO_ANN)), "/library/lend", BookID=BOOK, ReaderID=BOB, next="/x"
    )
    page = text_of(response)
    assert response.status_code == 409
    assert "The copy is lent to another reader." in page
    assert 'href="/glass/events/4"' in page
    assert f'value="{BOOK}"' in page
    assert f'value="{BOB}"' in page
    assert 'name="next" value="/x"' in page


def test_a_refusal_without_a_record_links_to_nothing() -> None:
    shop = Shop(stored(CourseDefined(BOOK, "Latin", 2, occurred_at=NOON)))
    response = submit(shop, "/school/courses/define", CourseID=BOOK, Title="Latin", Capacity="3")
    assert response.status_code == 409
    assert "with another title or capacity" in text_of(response)
    assert "/glass/events" not in text_of(response)


def test_invalid_input_keeps_what_was_typed_and_names_the_field() -> None:
    shop = Shop()
    response = submit(shop, "/library/readers/register", Name="  ", ReaderID="<Bob>")
    page = text_of(response)
    assert response.status_code == 422
    assert "This is needed." in page
    assert "Not a valid UUID." in page
    assert "&lt;Bob&gt;" in page
    assert shop.store.query(FilterBuilder().matching_any_event()).position == 0


def test_a_field_that_does_not_exist_is_named() -> None:
    response = submit(Shop(), "/library/readers/register", Name="Ann", OccurredAt="now")
    assert response.status_code == 422
    assert "OccurredAt: There is no such field." in text_of(response)


def test_a_form_that_is_submitted_twice_makes_one_reader() -> None:
    shop = Shop()
    page = see(shop, "/library/readers/register")
    reader_id = page.split('name="ReaderID" value="')[1][:36]
    for _ in range(2):
        assert submit(shop, "/library/readers/register", Name="Ann", ReaderID=reader_id).status_code == 303
    assert [category for category, _ in flashed(shop)] == ["written", "nothing"]
    assert shop.store.query(FilterBuilder().matching_any_event()).position == 1


@dataclass
class BusyStore(WrappedStore):
    """A store in which the reader is lent another copy after every query."""

    rivals: int = 0

    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        self.rivals += 1
        write(self.inner, lent(book_id(self.rivals), BOB))
        return stream


def test_too_much_contention_keeps_the_form() -> None:
    store = stored(ADDED, BOB_REGISTERED)
    response = submit(Shop(BusyStore(store)), "/library/lend", BookID=BOOK, ReaderID=BOB)
    page = text_of(response)
    assert response.status_code == 503
    assert "Nothing was changed; please try again." in page
    assert f'value="{BOOK}"' in page


WHERE_TO = [
    ("/library/books/add", {"BookID": BOOK, "ISBN": "0-306-40615-2", "Title": "T", "Authors": "A", "Edition": "1",
                            "Publisher": "P", "PublicationYear": "1999"}, f"/library/books/{BOOK}"),
    ("/library/readers/register", {"ReaderID": BOOK, "Name": "Ann"}, f"/library/readers/{BOOK}"),
    ("/library/return", {"BookID": BOOK, "ReaderID": ANN}, f"/library/readers/{ANN}"),
    ("/school/courses/define", {"CourseID": BOOK, "Title": "T", "Capacity": "2"}, f"/school/courses/{BOOK}"),
    ("/school/students/register", {"Name": "Eve"}, "/school/students"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "typed", "target"), WHERE_TO)
def test_success_leads_to_the_page_that_shows_it(path: str, typed: dict[str, str], target: str) -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, LENT_TO_ANN) if path == "/library/return" else stored())
    response = submit(shop, path, **typed)
    assert (response.status_code, response.location) == (303, target)


def test_enrolling_leads_to_the_course() -> None:
    shop = Shop(stored(CourseDefined(BOOK, "Latin", 2, occurred_at=NOON)))
    submit(shop, "/school/students/register", StudentID=ANN, Name="Eve")
    assert submit(shop, "/school/enroll", CourseID=BOOK, StudentID=ANN).location == f"/school/courses/{BOOK}"
    assert "Eve" in see(shop, f"/school/courses/{BOOK}")
    assert "1 of 2 seats taken, 1 left" in see(shop, f"/school/courses/{BOOK}")
    assert "1 of 2" in see(shop, "/school/courses")
    assert "Eve" in see(shop, "/school/students")


@pytest.mark.parametrize(
    ("next_page", "target"),
    [
        ("/library/desk?reader=7", "/library/desk?reader=7"),
        ("//evil.example", f"/library/readers/{BOOK}"),
        ("/\\evil.example", f"/library/readers/{BOOK}"),
        ("/\t/evil.example", f"/library/readers/{BOOK}"),
        ("https://evil.example", f"/library/readers/{BOOK}"),
        ("desk", f"/library/readers/{BOOK}"),
        ("", f"/library/readers/{BOOK}"),
    ],
)
def test_only_a_local_path_is_a_next_page(next_page: str, target: str) -> None:
    response = submit(Shop(), "/library/readers/register", ReaderID=BOOK, Name="Ann", next=next_page)
    assert response.location == target
    assert not urlsplit(response.location).netloc


def test_the_catalogue_can_be_narrowed() -> None:
    store = stored(ADDED, added(OTHER_BOOK, "Dune"), LENT_TO_ANN)
    shop = Shop(store)
    assert "2 of 2 copies" in see(shop, "/library/books")
    assert 'Read up to event <a href="/glass/events/3">' in see(shop, "/library/books")
    assert "Learning" not in see(shop, "/library/books?show=free")
    assert "Dune" not in see(shop, "/library/books?show=lent")
    assert f"/library/lend?BookID={OTHER_BOOK}" in see(shop, "/library/books")
    assert f"/library/lend?BookID={BOOK}" not in see(shop, "/library/books")
    assert "No copy fits." in see(Shop(stored(ADDED)), "/library/books?show=lent")
    assert 'action="/library/search"' in see(shop, "/library/books")


def test_the_catalogue_has_25_copies_a_page() -> None:
    shop = Shop(stored(*(added(book_id(number), f"Volume {number:02}.") for number in range(60))))
    assert "Volume 24." in see(shop, "/library/books")
    assert "Volume 25." not in see(shop, "/library/books")
    assert "Volume 25." in see(shop, "/library/books?page=2")
    assert "show=free&amp;page=3" in see(shop, "/library/books?page=2&show=free")
    for beyond in ("4", "999", "99999999999999999999"):
        assert see(shop, f"/library/books?page={beyond}")
    for nonsense in ("0", "-1", "x", "²"):
        assert "Volume 00." in see(shop, f"/library/books?page={nonsense}")


def test_empty_lists_invite() -> None:
    shop = Shop()
    assert "Add the first copy." in see(shop, "/library/books")
    assert "Register the first." in see(shop, "/library/readers")
    assert "Define the first." in see(shop, "/school/courses")
    assert "Register the first." in see(shop, "/school/students")


def test_a_reader_sees_the_loans_the_quota_and_a_button_for_each() -> None:
    shop = Shop(stored(ADDED, ANN_REGISTERED, LENT_TO_ANN))
    page = see(shop, f"/library/readers/{ANN}")
    assert "1 of 10 copies" in page
    assert "Learning Domain-Driven Design" in page
    assert 'action="/library/return"' in page
    assert "Ann" in see(shop, "/library/readers")


def test_a_reader_whose_contract_ended_has_a_page_that_says_so() -> None:
    shop = Shop(stored(BOB_REGISTERED, BOB_CANCELED))
    assert "The contract has ended." in see(shop, f"/library/readers/{BOB}")
    assert "Bob" not in see(shop, "/library/readers")


@pytest.mark.parametrize("path", [f"/library/readers/{BOOK}", "/library/readers/7", f"/school/courses/{BOOK}"])
def test_an_unknown_page_is_404(path: str) -> None:
    assert Shop().browser.get(path).status_code == 404


def test_names_are_escaped() -> None:
    shop = Shop(stored(ReaderRegistered(ANN, "<script>alert(1)</script>", occurred_at=NOON)))
    assert "<script>" not in see(shop, "/library/readers") + see(shop, f"/library/readers/{ANN}")
