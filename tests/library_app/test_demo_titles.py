"""The demo library's shelf holds well-formed titles only."""

from collections import Counter
from dataclasses import fields

import pytest

from library_app.demo.titles import TITLES, Title

EARLIEST_ISBN_YEAR = 1967  # no book carried a (standard) book number before
LATEST_YEAR = 2025


def check_digit(isbn: str) -> str:
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(isbn[:12]))
    return str(-weighted % 10)


def test_shelf_is_of_a_demo_s_size() -> None:
    assert 55 <= len(TITLES) <= 70


@pytest.mark.parametrize("title", TITLES, ids=lambda title: title.isbn)
def test_isbn_is_well_formed(title: Title) -> None:
    assert len(title.isbn) == 13
    assert title.isbn.isascii()
    assert title.isbn.isdigit()
    assert title.isbn.startswith(("978", "979"))
    assert title.isbn[-1] == check_digit(title.isbn)


@pytest.mark.parametrize("title", TITLES, ids=lambda title: title.isbn)
def test_fields_are_filled_in(title: Title) -> None:
    for field in fields(title):
        value = getattr(title, field.name)
        if isinstance(value, str):
            assert value.strip(), field.name
            assert value == value.strip(), field.name
    assert EARLIEST_ISBN_YEAR <= title.publication_year <= LATEST_YEAR


def test_no_isbn_occurs_twice() -> None:
    assert [isbn for isbn, count in Counter(title.isbn for title in TITLES).items() if count > 1] == []


def test_check_digit_refuses_a_wrong_one() -> None:
    assert check_digit("9781098100131") == "1"
    assert check_digit("9781098100132") != "2"
    assert check_digit("9781098100113") != "3"  # two digits swapped


def test_some_titles_exercise_apostrophes_and_non_ascii_letters() -> None:
    assert any("'" in title.title for title in TITLES)
    assert any(not (title.title + title.authors).isascii() for title in TITLES)
