"""The search over HTTP: its page, its JSON, and what a person or a program has just written."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from slices.lending.book_search import routes
from slices.lending.book_search.project import BookFound, Question, find, project
from slices.live.answer import LiveAnswer
from slices.paging import PageOf
from slices.testing import stored
from tests.slices.lending.world import ADDED, ANN, ANN_REGISTERED, BOOK, LENT_TO_ANN, OTHER_BOOK, added, book_id
from tests.slices.web.shop import Shop
from tests.slices.web.test_pages import see, submit

API = "/api/lending/book-search"


def ask(shop: Shop, **asked: object) -> dict[str, Any]:
    response = shop.browser.get(API, query_string=asked)
    assert response.status_code == 200
    found: dict[str, Any] = response.get_json()
    return found


def test_a_program_gets_a_page_of_copies_and_how_fresh_it_is() -> None:
    shop = Shop(stored(ADDED, added(OTHER_BOOK, "Dune"), LENT_TO_ANN))
    found = ask(shop, q="VLAD dom")
    assert [book["BookID"] for book in found.pop("Books")] == [BOOK]
    assert found == {
        "Position": 3, "Head": 3, "Behind": False, "Stopped": False, "Total": 1, "Page": 1, "Pages": 1
    }  # fmt: skip
    [dune] = ask(shop, show="free")["Books"]
    assert (dune["Title"], dune["IsLent"], dune["PublicationYear"]) == ("Dune", False, 2021)
    assert ask(shop)["Total"] == 2
    assert ask(shop, q="dune", page=7)["Page"] == 1


def test_a_program_says_what_it_has_written() -> None:
    shop = Shop(stored(ADDED))
    assert not ask(shop, at_least=1)["Behind"]
    assert ask(shop, at_least=2)["Behind"]


@pytest.mark.parametrize(
    "asked",
    [{"show": "some"}, {"page": 0}, {"page": "x"}, {"page": 10**10}, {"at_least": -1}, {"at_least": "1e3"}, {"Q": "x"}],
)
def test_parameters_that_mean_nothing_are_refused(asked: dict[str, Any]) -> None:
    assert Shop().browser.get(API, query_string=asked).status_code == 422


def test_a_parameter_that_does_not_exist_is_named() -> None:
    response = Shop().browser.get(API, query_string={"colour": "red"})
    assert response.get_json()["errors"]["query"] == {"colour": ["There is no such parameter."]}


def test_a_person_gets_a_list_with_links() -> None:
    shop = Shop(stored(ADDED, added(OTHER_BOOK, "Dune"), LENT_TO_ANN))
    page = see(shop, "/library/search?q=DUNE")
    assert "1 copy" in page
    assert f'href="/library/books/{OTHER_BOOK}"' in page
    assert f"/library/lend?BookID={OTHER_BOOK}" in page
    assert "Learning" not in page
    assert 'Up to event <a href="/glass/events/3">#3</a> of <a href="/glass/events/3">#3</a>.' in page
    assert "2 copies" in see(shop, "/library/search?q=978-1-098")
    assert "Dune" not in see(shop, "/library/search?show=lent")
    assert "No copy fits." in see(shop, "/library/search?q=dune&show=lent")
    assert "in this list" not in page


def test_what_was_typed_stays_in_the_form_and_in_the_links_and_is_escaped() -> None:
    shop = Shop(stored(*(added(book_id(number), f"Volume {number:02}.") for number in range(60))))
    page = see(shop, "/library/search?q=v%22%3E%3Cb%3E&show=free&page=2")
    assert 'value="v&#34;&gt;&lt;b&gt;"' in page
    assert "<b>" not in page
    page = see(shop, "/library/search?q=vol&show=free&page=2")
    assert 'value="vol"' in page
    assert '<option value="free" selected>' in page
    assert "/library/search?q=vol&amp;show=free&amp;page=3" in page
    assert "Volume 25." in page
    assert "Volume 24." not in page


def test_an_empty_library_invites() -> None:
    page = see(Shop(), "/library/search")
    assert "Add the first copy." in page
    assert "Up to event" not in page
    assert "No copy fits." in see(Shop(), "/library/search?q=x")


@dataclass
class Late:
    """A handler that remembers what it is asked, and answers what it is told to."""

    answer: LiveAnswer[PageOf[BookFound]]
    asked: list[int | None] = field(default_factory=list[int | None])

    def handle(self, question: Question, at_least: int | None, /) -> LiveAnswer[PageOf[BookFound]]:
        self.asked.append(at_least)
        return self.answer


def shop_with(late: Late) -> Shop:
    """A shop whose search is answered by `late`."""
    shop = Shop(stored(ADDED, ANN_REGISTERED))
    blueprint: Any = routes.blueprint(late.handle)
    blueprint.name = "late_book_search"
    views = Flask("late")
    views.register_blueprint(blueprint)
    for endpoint in ("api", "pages.page"):
        shop.app.view_functions[f"book_search.{endpoint}"] = views.view_functions[f"late_book_search.{endpoint}"]
    return shop


def answer(**freshness: Any) -> LiveAnswer[PageOf[BookFound]]:
    return LiveAnswer(find(project([ADDED]), Question()), 1, 3, **freshness)


def test_what_a_person_has_written_by_form_is_asked_for() -> None:
    late = Late(answer())
    shop = shop_with(late)
    see(shop, "/library/search")
    submit(shop, "/library/lend", BookID=BOOK, ReaderID=ANN)
    see(shop, "/library/search")
    submit(shop, "/library/lend", BookID=BOOK, ReaderID=ANN)  # nothing to do
    submit(shop, "/library/readers/register", ReaderID=OTHER_BOOK, Name="Bob")
    submit(shop, "/library/lend", BookID=BOOK, ReaderID=OTHER_BOOK)  # refused, and on record
    see(shop, "/library/search")
    assert late.asked == [None, 3, 5]
    other_browser = shop.app.test_client()
    other_browser.get("/library/search")
    assert late.asked[-1] is None


def test_a_position_that_is_no_number_is_not_asked_for() -> None:
    late = Late(answer())
    shop = shop_with(late)
    with shop.browser.session_transaction() as session:
        session["last_write"] = "3"
    see(shop, "/library/search")
    assert late.asked == [None]


def test_an_answer_that_is_behind_says_so() -> None:
    shop = shop_with(Late(answer(is_behind=True)))
    page = see(shop, "/library/search?q=vlad")
    assert "What was written last is not in this list yet." in page
    assert 'href="/library/search?q=vlad">look again</a>' in page
    assert '#1</a> of <a href="/glass/events/3">#3</a>.' in page
    assert ask(shop)["Behind"]


def test_a_model_that_has_stopped_says_so_and_the_page_still_answers() -> None:
    shop = shop_with(Late(answer(is_stopped=True)))
    page = see(shop, "/library/search")
    assert "New events are not taken into this list at the moment." in page
    assert "Learning" in page
    assert ask(shop)["Stopped"]
    page = see(shop_with(Late(answer(is_stopped=True, is_behind=True))), "/library/search")
    assert "what was written last is missing" in page
    assert "in a moment" not in page
