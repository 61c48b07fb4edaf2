"""The pages that belong to no single slice."""

import re
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore import InMemoryEventStore
from library_app.pages import shelf
from slices.lending.events import BookCopyAddedToCirculation, BookReserved
from slices.questions import Replaying

BOOK = "0190a000-0000-7000-8000-0000000000b1"
READER = "0190a000-0000-7000-8000-00000000000a"
NOBODY = "0190a000-0000-7000-8000-0000000000ff"
COPY = {
    "BookID": BOOK,
    "ISBN": "9781098100131",
    "Title": "Learning Domain-Driven Design",
    "Authors": "Vlad Khononov",
    "Edition": "First Edition",
    "Publisher": "O'Reilly Media",
    "PublicationYear": 2021,
}


@pytest.fixture
def library(post: Any) -> None:
    """One copy and one reader."""
    post("lending/add-book-copy-to-circulation", COPY)
    post("lending/register-reader", {"ReaderID": READER, "Name": "Ann O'Brien"})


def test_the_home_page_counts_and_tells_what_happened(demo_client: FlaskClient, seeded: InMemoryEventStore) -> None:
    view = Replaying(seeded).ask(shelf.BOUNDARY, shelf.project).view
    page = demo_client.get("/").text
    for number in (len(view.free), len(view.lent), len(view.readers)):
        assert f"<dd>{number}</dd>" in page
    assert page.count('<li class="family-') == 8


def test_an_empty_library_invites(client: FlaskClient) -> None:
    assert "Add the first book" in client.get("/").text
    assert "Register the first." in client.get("/library/desk").text


@pytest.mark.usefixtures("library")
def test_a_copy_shows_who_has_it_and_its_history(client: FlaskClient, post: Any) -> None:
    page = client.get(f"/library/books/{BOOK}").text
    assert "Lend it" in page
    assert f"/library/lend?BookID={BOOK}" in page
    post("lending/lend-book-to-reader", {"BookID": BOOK, "ReaderID": READER})
    page = client.get(f"/library/books/{BOOK.upper()}").text
    assert "Ann O&#39;Brien" in page
    assert "Take it back" in page
    assert page.index("Book copy lent to reader") < page.index("Book copy added to circulation")


@pytest.mark.usefixtures("library")
def test_a_copy_is_taken_out_of_circulation_from_its_page_while_nobody_has_it(
    client: FlaskClient, post: Any, form: Any
) -> None:
    page, offer = f"/library/books/{BOOK}", f"/library/books/remove?BookID={BOOK}"
    assert offer in client.get(page).text
    post("lending/lend-book-to-reader", {"BookID": BOOK, "ReaderID": READER})
    assert offer not in client.get(page).text
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    assert f'<option value="{BOOK}" selected>Learning' in client.get(offer).text
    assert form("/library/books/remove", {"BookID": BOOK}).headers["Location"].endswith(page)
    out = client.get(page).text
    assert "The copy is out of circulation." in out
    assert '<span class="badge">out of circulation</span>' in out
    assert offer not in out
    assert "Lend it" not in out


@pytest.mark.parametrize("address", [f"/library/books/{NOBODY}", "/library/books/x", f"/school/students/{NOBODY}"])
def test_what_does_not_exist_is_not_found(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text


def test_a_copy_that_was_only_refused_does_not_exist(client: FlaskClient, post: Any) -> None:
    post("lending/lend-book-to-reader", {"BookID": NOBODY, "ReaderID": READER})
    assert client.get(f"/library/books/{NOBODY}").status_code == 404


@pytest.mark.usefixtures("library")
def test_the_desk_finds_a_reader_by_name_or_id(client: FlaskClient, post: Any) -> None:
    for typed in ("ann o'brien", "brien", READER, READER.upper().replace("-", "")):
        answer = client.get("/library/desk", query_string={"reader": typed}, follow_redirects=True)
        assert answer.status_code == 200
        assert "<h1>Ann O&#39;Brien</h1>" in answer.text
    unknown = client.get("/library/desk?reader=Zoe+%22Z%22")
    assert unknown.status_code == 422
    assert "No reader with a contract is like that." in unknown.text
    assert 'value="Zoe &#34;Z&#34;"' in unknown.text
    assert client.get(f"/library/desk?ReaderID={NOBODY}").status_code == 422
    post("lending/register-reader", {"Name": "Ann O'Brien"})
    several = client.get("/library/desk?reader=ann o'brien").text
    assert several.count("/library/desk?ReaderID=") == 2


@pytest.mark.usefixtures("library")
def test_the_desk_lends_and_takes_back(client: FlaskClient, form: Any) -> None:
    desk = f"/library/desk?ReaderID={READER}"
    assert "Learning Domain-Driven Design" in client.get(f"{desk}&q=vlad domain").text
    assert "No free copy matches" in client.get(f"{desk}&q=cobol").text
    lent = form("/library/lend", {"BookID": BOOK, "ReaderID": READER, "next": desk})
    assert lent.headers["Location"].endswith(desk)
    page = client.get(desk).text
    assert "1 of 10" in page
    assert 'href="/glass/events/3">#3</a>' in page
    assert re.search(r">query [\d.]+ ms · decide [\d.]+ ms · append [\d.]+ ms · <a href=", page)
    assert form("/library/return", {"BookID": BOOK, "ReaderID": READER, "next": desk}).status_code == 303
    assert "0 of 10" in client.get(desk).text


@pytest.fixture
def waited_for(library: None, post: Any) -> tuple[str, str]:
    """Somebody has the one copy, and two readers wait for it."""
    post("lending/lend-book-to-reader", {"BookID": BOOK, "ReaderID": READER})
    readers = [post("lending/register-reader", {"Name": name}).json["ReaderID"] for name in ("Bea", "Cy")]
    for reader in readers:
        post("lending/reserve-book", {"BookID": BOOK, "ReaderID": reader})
    bea, cy = readers
    return bea, cy


@pytest.mark.usefixtures("library")
def test_a_copy_can_be_reserved_only_while_it_is_not_free(client: FlaskClient, post: Any) -> None:
    assert "Who waits" not in client.get(f"/library/books/{BOOK}").text
    post("lending/lend-book-to-reader", {"BookID": BOOK, "ReaderID": READER})
    page = client.get(f"/library/books/{BOOK}").text
    assert "Nobody. Who reserves it first gets it next." in page
    assert f"/library/reserve?BookID={BOOK}" in page


def test_a_copy_shows_who_waits_and_then_for_whom_it_is_held(
    client: FlaskClient, post: Any, seconds: Any, waited_for: tuple[str, str]
) -> None:
    bea, _ = waited_for
    queue = client.get(f"/library/books/{BOOK}").text.split("Who waits")[1].split("</ol>")[0]
    assert queue.index(">Bea</a>") < queue.index(">Cy</a>")
    assert 'aria-label="Cancel reservation: Cy"' in queue
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    page = client.get(f"/library/books/{BOOK}").text
    assert ">held</span> for" in page
    assert "16 Mar 2026, 12:00" in page
    assert f'href="/library/lend?BookID={BOOK}&amp;ReaderID={bea}">Lend it to Bea</a>' in page
    assert "End the hold" not in page
    assert "Who waits" in page
    seconds.now = 48 * 3600 + 1
    page = client.get(f"/library/books/{BOOK}").text
    assert "past its time" in page
    assert "End the hold" in page


def test_on_the_page_of_a_copy_a_hold_ends_and_a_reservation_is_canceled(
    client: FlaskClient, post: Any, form: Any, seconds: Any, waited_for: tuple[str, str]
) -> None:
    _, cy = waited_for
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    seconds.now = 48 * 3600 + 1
    assert form("/library/holds/expire", {"BookID": BOOK}).headers["Location"].endswith(BOOK)
    assert "Lend it to Cy" in client.get(f"/library/books/{BOOK}").text
    form("/library/cancel-reservation", {"BookID": BOOK, "ReaderID": cy})
    page = client.get(f"/library/books/{BOOK}").text
    assert "Lend it</a>" in page
    assert "Who waits" not in page


def test_the_desk_offers_a_held_copy_to_its_reader_and_to_nobody_else(
    client: FlaskClient, post: Any, form: Any, waited_for: tuple[str, str]
) -> None:
    bea, cy = waited_for
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    of_cy = client.get(f"/library/desk?ReaderID={cy}&q=vlad").text
    assert "No free copy matches" in of_cy
    assert "hold shelf" not in of_cy
    assert f'<option value="{BOOK}"' not in of_cy
    desk = f"/library/desk?ReaderID={bea}"
    ready = client.get(desk).text.split("Ready on the hold shelf")[1].split("</table>")[0]
    assert "held until" in ready
    assert f'name="BookID" value="{BOOK}"' in ready
    assert form("/library/lend", {"BookID": BOOK, "ReaderID": bea, "next": desk}).status_code == 303
    assert "Ready on the hold shelf" not in client.get(desk).text
    assert "1 of 10" in client.get(desk).text


def test_a_held_copy_that_is_out_of_circulation_is_offered_to_nobody_but_its_page_tells_who_waits(
    client: FlaskClient, post: Any, waited_for: tuple[str, str]
) -> None:
    bea, _ = waited_for
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    assert post("lending/remove-book-copy-from-circulation", {"BookID": BOOK}).status_code == 201
    desk = client.get(f"/library/desk?ReaderID={bea}").text
    assert "Ready on the hold shelf" not in desk
    assert BOOK not in desk
    assert "<dt>on the hold shelf</dt><dd>0</dd>" in client.get("/").text
    page = client.get(f"/library/books/{BOOK}").text
    assert '<span class="badge">out of circulation</span>' in page
    assert "Lend it" not in page
    assert ">Bea</a>" in page.split("Who waits")[1].split("</ol>")[0]
    post("lending/add-book-copy-to-circulation", COPY)
    assert "Ready on the hold shelf" in client.get(f"/library/desk?ReaderID={bea}").text


@pytest.mark.usefixtures("waited_for")
def test_forms_and_the_home_page_tell_held_from_free(client: FlaskClient, post: Any) -> None:
    short = BOOK[-6:]
    assert f"Learning Domain-Driven Design …{short}, lent" in client.get("/library/lend").text
    post("lending/return-book-from-reader", {"BookID": BOOK, "ReaderID": READER})
    assert f"Learning Domain-Driven Design …{short}, held" in client.get("/library/lend").text
    assert "<dt>on the shelf</dt><dd>0</dd>" in client.get("/").text
    assert "<dt>on the hold shelf</dt><dd>1</dd>" in client.get("/").text


def test_a_waiting_list_survives_that_its_copy_is_added_again(noon: datetime) -> None:
    added = BookCopyAddedToCirculation(BOOK, "9781098100131", "T", "A", "E", "P", 2021, occurred_at=noon)
    reserved = BookReserved(BOOK, READER, occurred_at=noon)
    [copy] = shelf.project([added, reserved, added]).copies.values()
    assert copy.waiting.readers == (READER,)


def test_a_student_sees_their_courses(client: FlaskClient, post: Any) -> None:
    student = post("enrollment/register-student", {"Name": "Ada"}).json["StudentID"]
    address = f"/school/students/{student}"
    assert "In no course yet" in client.get(address).text
    course = post("enrollment/define-course", {"Title": "<Cartography>", "Capacity": 3}).json["CourseID"]
    post("enrollment/enroll-student", {"StudentID": student, "CourseID": course})
    page = client.get(address).text
    assert "&lt;Cartography&gt;" in page
    assert "1 of 10 courses" in page


def test_every_page_of_the_navigation_exists(demo_client: FlaskClient) -> None:
    for path in ("books", "readers", "desk"):
        assert demo_client.get(f"/library/{path}").status_code == 200
    for path in ("/school/courses", "/school/students", "/glass/events", "/api", "/api/docs"):
        assert demo_client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "address", "status"), [("POST", "/library/desk", 405), ("PUT", "/", 405), ("GET", "/nothing", 404)]
)
def test_errors_have_a_page(client: FlaskClient, method: str, address: str, status: int) -> None:
    answer = client.open(address, method=method)
    assert answer.status_code == status
    assert "The Glass Library" in answer.text
