"""The map of the slices, and the page of each: what the code says, and links that lead somewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask import Flask
from flask.testing import FlaskClient

import slices
from eventstore import InMemoryEventStore
from library_app import Config, create_app
from library_app.event_words import event_words
from library_app.glass import slice_map
from library_app.glass.slice_map import AnySlice, doors_of, find_slice
from slices.lending import lend_book_to_reader
from slices.slice_map import CONTEXTS, ReadSlice, WriteSlice, read_slices, write_slices

MAP = "/glass/slices"
COMMANDS = [command for context in CONTEXTS for command in write_slices(context)]
QUESTIONS = [question for context in CONTEXTS for question in read_slices(context)]
SLICES: list[AnySlice] = [*COMMANDS, *QUESTIONS]

each_slice = pytest.mark.parametrize("slice_", SLICES, ids=lambda slice_: slice_.name)


@pytest.fixture(scope="module")
def app(config: Config) -> Flask:
    """One app for all tests: these pages change nothing, and show nothing of the log."""
    return create_app(InMemoryEventStore(), config=config)


class Outline(HTMLParser):
    """What the tests ask of a page: its links, the text of its elements by id, and its tables.

    Attributes:
        links: every address of a link.
        texts: the text of each article, by its id, and of each `pre`, by its class.
        tables: tables of rows of cells; a cell is its text, in one line.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: dict[str, str] = {}
        self.tables: list[list[list[str]]] = []
        self._open: str | None = None
        self._in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag in ("article", "pre"):
            self._open = str(given.get("id") or given.get("class"))
            self.texts[self._open] = ""
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("article", "pre"):
            self._open = None
        elif tag in ("a", "dd", "dt") and self._open:
            self.texts[self._open] += " "
        elif tag in ("td", "th"):
            self._in_cell = False
            self.tables[-1][-1][-1] = " ".join(self.tables[-1][-1][-1].split())

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open] += data
        if self._in_cell:
            self.tables[-1][-1][-1] += data


def title(slice_: AnySlice) -> str:
    return slice_.name.replace("_", " ").capitalize()


def address(slice_: AnySlice) -> str:
    return f"{MAP}/{slice_.context}/{slice_.name}"


def shown(client: FlaskClient, path: str) -> Outline:
    answer = client.get(path)
    assert answer.status_code == 200
    return Outline(answer.text)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def test_every_folder_with_routes_is_on_the_map(client: FlaskClient) -> None:
    """The folders themselves are asked, so that the map cannot overlook what it has not found."""
    folders = {path.parent.name for path in Path(slices.__path__[0]).glob("*/*/routes.py")}
    assert len(folders) > 20
    assert set(shown(client, MAP).texts) == folders


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_is_shown_with_all_that_can_come_of_it(client: FlaskClient, command: WriteSlice) -> None:
    text = in_one_line(shown(client, MAP).texts[command.name])
    assert text.startswith(f"{title(command)} {command.summary}")
    assert f"Can happen {' '.join(map(event_words, command.happens))} Refuses" in text
    assert f"Refuses {', '.join(command.refusals) or 'never'}" in text
    recorded = f"on record as {event_words(command.recorded_as)} Nothing" if command.recorded_as else ""
    assert recorded in text
    assert ("on record as" in text) == bool(command.recorded_as)
    assert f"Nothing {in_one_line(command.nothing)}" in text
    assert f"slices/{command.context}/{command.name}/" in text


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_question_is_shown_with_its_answer(client: FlaskClient, question: ReadSlice) -> None:
    text = in_one_line(shown(client, MAP).texts[question.name])
    assert text.startswith(f"{title(question)} {question.summary} Reads ")
    assert f"Answers {in_one_line(question.answer)}" in text


def test_boundaries_are_said_in_words_with_the_joints_stressed(client: FlaskClient) -> None:
    page = client.get(MAP).text
    assert "of this student <strong>and</strong> this course" in page
    assert "then defined · of what was found" in page
    assert "**" not in page


def test_each_cell_of_the_matrix_names_the_events_by_which_its_row_disturbs_its_column(client: FlaskClient) -> None:
    tables = shown(client, MAP).tables
    assert len(tables) == len(CONTEXTS)
    for context, (head, *rows) in zip(CONTEXTS, tables, strict=True):
        commands = write_slices(context)
        assert head[1:] == [title(command) for command in commands]
        for command, (name, *cells) in zip(commands, rows, strict=True):
            assert name == f"{title(command)} disturbs"
            assert cells == [_cell(command, column) for column in commands]


def _cell(row: WriteSlice, column: WriteSlice) -> str:
    events = ", ".join(event_words(event_type) for event_type in column.disturbed_by(row))
    return f"{title(row)} disturbs {title(column)} by {events}" if events else ""


def test_every_link_of_the_map_and_of_each_slice_leads_somewhere(demo_client: FlaskClient) -> None:
    on_the_map = shown(demo_client, MAP).links
    assert {address(slice_) for slice_ in SLICES} <= set(on_the_map)
    pages = {path: shown(demo_client, path).links for path in map(address, SLICES)} | {MAP: on_the_map}
    links = {urljoin(path, link) for path, found in pages.items() for link in found}
    paths = {link.partition("#")[0] for link in links}
    answers = {path: demo_client.get(path, follow_redirects=True) for path in paths}
    assert {path for path, answer in answers.items() if answer.status_code != 200} == set()
    for link in links:
        path, _, place = link.partition("#")
        if place and not place.startswith("/"):  # what Swagger UI shows is made by its script
            assert f'id="{place}"' in answers[path].text, link


@each_slice
def test_a_slice_is_reached_by_its_own_addresses(app: Flask, client: FlaskClient, slice_: AnySlice) -> None:
    with app.test_request_context():
        doors = doors_of(slice_)
    assert doors.page
    assert doors.api
    assert ("<" in doors.page.address) == (doors.page.link is None)
    links = shown(client, address(slice_)).links
    assert doors.page.link is None or doors.page.link in links
    assert doors.api.link in links
    document = client.get("/api/openapi.json").get_json()["paths"]
    [(path, operation)] = [
        (path, methods[doors.api.method.lower()])
        for path, methods in document.items()
        if re.sub(r"\{\w+\}", "*", path) == re.sub(r"<\w+>", "*", doors.api.address)
    ]
    place = re.sub(r"[^a-z0-9]", "_", path)
    assert doors.api.link == f"/api/docs#/{operation['tags'][0]}/{doors.api.method.lower()}{place}"


def test_a_slice_that_the_app_does_not_serve_has_no_doors() -> None:
    bare = Flask("bare")
    slice_ = find_slice("lending", "lend_book_to_reader")
    assert slice_
    with bare.test_request_context():
        assert doors_of(slice_) == slice_map.Doors(None, None)


@each_slice
def test_a_slice_shows_its_own_words_and_source(client: FlaskClient, slice_: AnySlice) -> None:
    texts = shown(client, address(slice_)).texts
    folder = Path(slices.__path__[0], slice_.context, slice_.name)
    file = "decide.py" if isinstance(slice_, WriteSlice) else "project.py"
    assert texts["source"] == (folder / file).read_text()
    assert f'"""{texts["words"]}\n"""' in (folder / "__init__.py").read_text()


def test_a_slice_shows_whom_it_disturbs_and_who_disturbs_it(client: FlaskClient) -> None:
    page = client.get(f"{MAP}/lending/return_book_from_reader").text
    disturbed_by, _, disturbs = page.partition('id="disturbed-by"')[2].partition('id="disturbs"')
    returning = next(command for command in COMMANDS if command.name == "return_book_from_reader")
    others = [command for command in write_slices("lending") if command != returning]
    assert _linked(disturbed_by) == {command.name for command in others if returning.disturbed_by(command)}
    assert _linked(disturbs) == {command.name for command in others if command.disturbed_by(returning)}
    assert _linked(disturbed_by) != _linked(disturbs)


def _linked(part: str) -> set[str]:
    return set(re.findall(r"/glass/slices/\w+/(\w+)\"", part))


def test_a_question_shows_which_commands_change_its_answer_and_disturbs_nobody(client: FlaskClient) -> None:
    page = client.get(f"{MAP}/enrollment/student_schedule").text
    changed_by, _, disturbs = page.partition("Its answer is changed by")[2].partition('id="disturbs"')
    assert _linked(changed_by) == {"register_student", "enroll_student", "withdraw_student", "define_course"}
    assert "a question writes no event" in disturbs


@pytest.mark.parametrize(
    "unknown",
    ["lending/no_such_slice", "lending/events", "school/define_course", "enrollment/lend_book_to_reader", "live/model"],
)
def test_what_is_no_slice_is_not_found(client: FlaskClient, unknown: str) -> None:
    answer = client.get(f"{MAP}/{unknown}")
    assert answer.status_code == 404
    assert "<h1>" in answer.text


def test_what_the_code_says_is_escaped(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """No slice has markup in its words; so one is given some."""
    harmless = find_slice("lending", "lend_book_to_reader")
    assert isinstance(harmless, WriteSlice)
    markup = "<script>alert(1)</script>"
    evil = WriteSlice(
        "lending",
        "lend_book_to_reader",
        markup,
        harmless.command,
        harmless.boundary,
        (f"{markup}A",),
        (f"{markup}B",),
        f"{markup}C",
        f"{markup}D",
    )
    monkeypatch.setattr(slice_map, "write_slices", lambda context: (evil,))
    monkeypatch.setattr(lend_book_to_reader, "__doc__", f"{markup}E")
    for path in (MAP, f"{MAP}/lending/lend_book_to_reader"):
        page = client.get(path).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
    assert "&lt;/script&gt;E" in page
    assert "-&gt; Decision" in page


def test_the_pages_are_reached_from_the_navigation_and_keep_the_policy(client: FlaskClient) -> None:
    assert f'href="{MAP}"' in client.get("/").text
    for path in (MAP, f"{MAP}/lending/lend_book_to_reader"):
        page = client.get(path).text
        assert 'aria-current="page">Slices' in page or 'aria-current="true">Slices' in page
        assert " style=" not in page
        assert "<style" not in page
