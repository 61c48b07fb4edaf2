"""`import-books` brings the good rows of a list in, once, and says of each other row where it stands and why."""

import io
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from eventstore import InMemoryEventStore
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.book_list import BadRow, GoodRow, NoBookList, read_book_list
from library_app.cli import main
from library_app.commands import book_import
from slices.codec import decode, decode_metadata
from slices.command_loop import CommandLoop
from slices.lending.events import BookCopyAddedToCirculation
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.lending.remove_book_copy_from_circulation.handler import RemoveBookCopyFromCirculationHandler
from slices.origin import Origin
from tests.library_app.command_line import assert_says, run
from tests.library_app.conftest import NOON, all_events
from tests.library_app.waiting import eventually

BOOK = "0190a000-0000-7000-8000-0000000000b1"
HEADER = "ISBN,Title,Authors,Edition,Publisher,PublicationYear\n"
DDD = "9781098100131,Learning Domain-Driven Design,Vlad Khononov,First,O'Reilly,2021\n"
SICP = '0262510871,"Structure and Interpretation","Abelson, Sussman",Second,MIT Press,1996\n'


def read(text: str | bytes) -> list[GoodRow | BadRow]:
    return list(read_book_list(io.BytesIO(text if isinstance(text, bytes) else text.encode())))


def ids(text: str | bytes) -> list[str]:
    rows = read(text)
    assert all(isinstance(row, GoodRow) for row in rows), rows
    return [row.fields["book_id"] for row in rows if isinstance(row, GoodRow)]


def bad(text: str | bytes) -> list[str]:
    return [str(row) for row in read(text) if isinstance(row, BadRow)]


def test_cells_are_checked_and_normalised_as_on_the_web() -> None:
    [row] = read("Title , PublicationYear,ISBN,BookID,Authors,Edition,Publisher\n"
                 f"  SICP ,1996,0-262-51087-1,{BOOK.upper()},Abelson,2nd,MIT\n")  # fmt: skip
    assert row == GoodRow(2, {
        "title": "SICP", "publication_year": 1996, "isbn": "9780262510875", "book_id": BOOK,
        "authors": "Abelson", "edition": "2nd", "publisher": "MIT",
    })  # fmt: skip


@pytest.mark.parametrize(
    "spelled",
    [
        HEADER + DDD,
        "\ufeff" + HEADER + DDD,
        HEADER + DDD.strip(),
        (HEADER + DDD).replace("\n", "\r\n"),
        (HEADER + DDD).replace(",", ";"),
        HEADER + "\n,,,,,\n" + DDD,
        "BookID," + HEADER + "," + DDD,
    ],
)
def test_one_list_may_be_spelled_in_many_ways(spelled: str) -> None:
    assert ids(spelled) == ids(HEADER + DDD)


def test_equal_rows_are_copies_and_each_keeps_its_id_wherever_it_stands() -> None:
    first, second = ids(HEADER + DDD + DDD)
    assert first != second
    assert ids(HEADER + DDD) == [first]
    assert ids(HEADER + DDD + SICP + DDD)[::2] == [first, second]
    assert ids(HEADER + SICP + DDD)[1] == first
    assert ids(HEADER + DDD.replace("2021", "2022"))[0] not in (first, second)
    assert ids(HEADER + DDD.replace("9781098100131", "978-1-0981-0013-1")) == [first]
    accented = HEADER + DDD.replace("Vlad", "Vl\u00e1d")
    assert ids(accented) == ids(accented.replace("\u00e1", "a\u0301"))


def test_the_id_of_a_row_is_for_ever() -> None:
    assert ids(HEADER + DDD + DDD) == ["8d1807c6-2b07-573e-9773-21dac1d27ea6", "0e4b200a-446f-5b78-aed0-2175200b557e"]


def test_what_is_wrong_with_a_row_is_said_with_its_line() -> None:
    rows = [
        "9781098100132,T,A,E,P,2021",  # 2
        '"9781098100131","two\nlines",A,E,P,2021',  # 3 and 4
        ",,A,E,P,2021",  # 5
        "9781098100131,T,A,E,P",  # 6
        "9781098100131,T,A,E,P,2021,more",  # 7
        "9781098100131,T,A,E,P,last year",  # 8
        "9781098100131,T,A,E,P,999",  # 9
        '9781098100131,"T" x,A,E,P,2021',  # 10
        DDD.strip(),  # 11
        f'9781098100131,{"x" * 140_000},A,E,P,2021',  # 12
        '9781098100131,"T,A,E,P,2021',  # 13
        DDD.strip(),
    ]  # fmt: skip
    found = bad(HEADER + "\n".join(rows))
    assert found[:7] == [
        "line 2: ISBN: The check digit of this ISBN is wrong: one of its digits may be mistyped.",
        "line 3: Title: One line of printable characters, please.",
        "line 5: ISBN: This is needed. Title: This is needed.",
        "line 6: it has 5 columns, and line 1 names 6",
        "line 7: it has 7 columns, and line 1 names 6",
        "line 8: PublicationYear: Not a whole number.",
        f"line 9: PublicationYear: {found[6].split(': ', 2)[2]}",
    ]
    assert found[6].startswith("line 9: PublicationYear: A number from 1000 to ")
    assert found[7:] == [
        "line 10: this is not CSV: ',' expected after '\"'",
        "line 12: this is not CSV: field larger than field limit (131072)",
        "line 13: a quotation mark is opened in this row and not closed; all that follows would be one text",
    ]


@given(st.binary(), st.text('"\n\r,;\x00\ufeffa1', max_size=50))
def test_whatever_a_list_holds_is_told_by_its_line(some: bytes, cells: str) -> None:
    for content in (some, HEADER.encode() + some, HEADER.encode() + cells.encode() + some, cells.encode() + some):
        try:
            rows = read(content)
        except NoBookList:
            continue
        starts = [row.line for row in rows]
        assert starts == sorted(set(starts))


def test_what_is_not_utf_8_costs_its_own_row_only() -> None:
    latin = DDD.replace("Vlad", "Vlád").encode("latin-1")
    content = HEADER.encode() + latin + SICP.encode()
    assert bad(content) == ["line 2: this is not UTF-8"]
    assert [row.line for row in read(content)] == [2, 3]


def test_an_id_may_stand_in_a_list_once() -> None:
    found = read("BookID," + HEADER + f"{BOOK},{DDD}{BOOK.upper()},{SICP}not an id,{SICP}")
    assert found[1:] == [
        BadRow(3, f"the BookID {BOOK} stands in line 2 already"),
        BadRow(4, "BookID: Not a valid UUID."),
    ]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "it has to name the columns: BookID (may be left out), ISBN, Title"),
        (",,\n", "it has to name the columns"),
        (DDD, "there is no column '9781098100131'. The columns are"),
        (HEADER.replace("ISBN", "Isbn"), "there is no column 'Isbn'"),
        (HEADER.replace("Title,", "").replace("ISBN,", ""), "there is no ISBN and no Title"),
        (HEADER.replace("Title", "Title,Title"), "a column is named twice"),
        (HEADER.replace(",", "\t"), "there is no column 'ISBN\\tTitle\\tAuthors"),
        ('"' + HEADER, "a quotation mark is opened in this row"),
    ],
)  # fmt: skip
def test_a_first_row_that_does_not_name_the_columns_is_refused(header: str, reason: str) -> None:
    with pytest.raises(NoBookList) as refused:
        read(header + DDD)if header else read(b"")  # fmt: skip
    assert str(refused.value).startswith(f"line 1: {reason}")


def test_a_list_is_imported_once_and_its_copies_are_not_added_again_when_they_are_gone(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "books.csv"
    file.write_text(HEADER + DDD + DDD + SICP + ",,,,,1\n")
    assert_says(run("import-books", str(file), LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    done = run("import-books", str(file), LIBRARY_DSN=database)
    assert (done.exit_code, done.stdout) == (1, "3 copies added, 0 in circulation already, 1 row left out.\n")
    assert f"{file}, line 5: ISBN: This is needed." in done.stderr
    file.write_text(HEADER + SICP + DDD + DDD)
    done = run("import-books", str(file), LIBRARY_DSN=database)
    assert (done.exit_code, done.stdout) == (0, "0 copies added, 3 in circulation already.\n")
    with open_pool(database, max_size=2) as pool:
        store = PostgresEventStore(pool)
        [first, *_] = added = all_events(store)
        assert len(added) == len({event.event_id for event in added}) == 3
        assert len({decode_metadata(event).correlation_id for event in added}) == 1
        copy = decode(first)
        assert isinstance(copy, BookCopyAddedToCirculation)
        assert (copy.isbn, copy.title) == ("9781098100131", "Learning Domain-Driven Design")
        gone = RemoveBookCopyFromCirculation(copy.book_id, NOON)
        RemoveBookCopyFromCirculationHandler(CommandLoop(store)).handle(gone, Origin.new())
        piped = CliRunner().invoke(main, ["import-books", "-"], input=file.read_bytes(), env={"LIBRARY_DSN": database})
        assert (piped.exit_code, piped.stdout) == (1, "0 copies added, 2 in circulation already, 1 row left out.\n")
        assert f"line 3: the copy {copy.book_id} was imported before and has been removed since" in piped.stderr
        assert len(all_events(store)) == 4


def test_two_imports_of_one_row_at_once_both_find_it_in_circulation(monkeypatch: pytest.MonkeyPatch) -> None:
    store, rows = InMemoryEventStore(), [row for row in read(HEADER + DDD) if isinstance(row, GoodRow)]
    append = InMemoryEventStore.append

    def the_other_is_quicker(store: InMemoryEventStore, *events: object, **options: object) -> object:
        monkeypatch.setattr(InMemoryEventStore, "append", append)
        assert book_import.add(store, rows) == (1, [])
        return append(store, *events, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(InMemoryEventStore, "append", the_other_is_quicker)
    assert book_import.add(store, rows) == (0, [])
    assert len(all_events(store)) == 1


def test_an_import_that_was_killed_is_repeated(database: str, tmp_path: Path) -> None:
    file, copies = tmp_path / "books.csv", 400
    file.write_text(HEADER + DDD * copies)
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    program = [sys.executable, "-c", "from library_app.cli import main; main()", "import-books", str(file)]
    with psycopg.connect(database, autocommit=True) as connection:
        with subprocess.Popen(["env", f"LIBRARY_DSN={database}", *program], stderr=subprocess.DEVNULL) as killed:
            eventually(lambda: connection.execute("SELECT FROM events").rowcount > 10, "copies are added")
            killed.kill()
        assert killed.returncode == -signal.SIGKILL
        before = connection.execute("SELECT FROM events").rowcount
    assert 0 < before < copies
    done = run("import-books", str(file), LIBRARY_DSN=database)
    assert (done.exit_code, done.stdout) == (
        0,
        f"{copies - before:,} copies added, {before:,} in circulation already.\n",
    )


def test_what_is_no_list_is_said_in_one_line(database: str, tmp_path: Path) -> None:
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    file = tmp_path / "books.csv"
    file.write_bytes(b"\xff\xfe" + HEADER.encode("utf-16-le"))
    assert_says(run("import-books", str(file), LIBRARY_DSN=database), f"{file}: line 1: there is no column")
    assert run("import-books", str(tmp_path / "missing.csv"), LIBRARY_DSN=database).exit_code == 2
    assert_says(run("import-books", str(file)), "LIBRARY_DSN is not set")
