"""What may be typed, what becomes of it, and what is said about the rest."""

from datetime import UTC, datetime
from typing import Any

import pytest
from marshmallow import ValidationError

from slices.fields import Body, Id, Isbn, PublicationYear, Text, WholeNumber

CANONICAL = "0198226e-19f6-7d29-8be9-10871e23e820"


@pytest.mark.parametrize(
    "spelling",
    [
        CANONICAL,
        CANONICAL.upper(),
        CANONICAL.replace("-", ""),
        f"{{{CANONICAL}}}",
        f"urn:uuid:{CANONICAL}",
        f"  {CANONICAL}\n",
    ],
)
def test_any_spelling_of_an_id_becomes_one(spelling: str) -> None:
    assert Id().clean(spelling) == CANONICAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        CANONICAL[:-1],
        CANONICAL + "0",
        CANONICAL.replace("-", "_"),
        "0198226e-19f67d29-8be9-10871e23e820",
        "٠" * 32,
        "+" + CANONICAL.replace("-", "")[1:],
        7,
        None,
        [CANONICAL],
        "g" * 32,
        f"{{{CANONICAL}",
        f"{CANONICAL}}}",
    ],
)
def test_what_is_no_uuid_is_no_id(text: object) -> None:
    with pytest.raises(ValidationError, match=r"Not a valid UUID\."):
        Id().clean(text)


def test_a_text_loses_the_space_around_it() -> None:
    assert Text(200).clean("  Zoë  d’Arc ") == "Zoë  d’Arc"
    assert Text(3).clean(" abc ") == "abc"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needed"),
        (" \t\u3000", "needed"),
        ("abcd", "At most 3"),
        ("a\x00", "printable"),
        ("a\nb", "printable"),
        ("\x1bab", "printable"),
        ("a\ud800", "printable"),
        ("a\u2028b", "printable"),
        (7, "Not a text"),
        (None, "Not a text"),
    ],
)
def test_what_is_no_line_of_text_is_refused(text: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Text(3).clean(text)


@pytest.mark.parametrize("number", [1, 10_000, "1", " 10000 ", "007"])
def test_a_whole_number_may_be_typed_in_digits(number: object) -> None:
    assert WholeNumber(1, 10_000).clean(number) == int(str(number))


@pytest.mark.parametrize("number", [True, False, 1.0, "1.0", "12abc", "1e3", "1_000", "-1", "٣", "", None, "9" * 5000])
def test_what_is_no_whole_number_is_refused(number: object) -> None:
    with pytest.raises(ValidationError, match=r"Not a whole number\."):
        WholeNumber(1, 10_000).clean(number)


@pytest.mark.parametrize("number", [0, 10_001, -1, "0", "10001", 10**30])
def test_a_number_out_of_bounds_is_refused_with_the_bounds(number: object) -> None:
    with pytest.raises(ValidationError, match=r"from 1 to 10000"):
        WholeNumber(1, 10_000).clean(number)


def test_a_book_may_be_printed_next_year_but_not_later() -> None:
    this_year = datetime.now(UTC).year
    assert PublicationYear().clean(this_year) == this_year
    assert PublicationYear().clean("1000") == 1000
    for year in (999, this_year + 2):
        with pytest.raises(ValidationError, match="A number from 1000"):
            PublicationYear().clean(year)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("9781098100131", "9781098100131"),
        ("978-1-098-10013-1", "9781098100131"),
        (" 978 1 098 10013 1 ", "9781098100131"),
        ("978‐1‐098‐10013‐1", "9781098100131"),
        ("979-10-90636-07-1", "9791090636071"),
        ("0-306-40615-2", "9780306406157"),
        ("0-8044-2957-x", "9780804429573"),
    ],
)
def test_an_isbn_is_kept_as_13_digits(typed: str, kept: str) -> None:
    assert Isbn().clean(typed) == kept


@pytest.mark.parametrize("typed", ["978-1-098-10013-2", "0-306-40615-3", "0-8044-2957-1", "0-306-40615-X"])
def test_a_wrong_check_digit_has_its_own_message(typed: str) -> None:
    with pytest.raises(ValidationError, match="check digit"):
        Isbn().clean(typed)


@pytest.mark.parametrize(
    "typed", ["", "978109810013", "97810981001311", "1234567890123", "٩٧٨١٠٩٨١٠٠١٣١", 9781098100131]
)
def test_what_is_no_isbn_is_refused(typed: object) -> None:
    with pytest.raises(ValidationError, match="Not an ISBN"):
        Isbn().clean(typed)


class ExampleBody(Body):
    """Two fields."""

    book_id = Id(required=False)
    name = Text(10)


def messages_for(body: Any) -> object:
    with pytest.raises(ValidationError) as caught:
        ExampleBody().load(body)
    return caught.value.messages


def test_keys_are_spelled_as_in_the_events() -> None:
    assert ExampleBody().load({"BookID": CANONICAL, "Name": "Ann"}) == {"book_id": CANONICAL, "name": "Ann"}
    assert ExampleBody().load({"Name": "Ann"}) == {"name": "Ann"}


def test_missing_null_and_unknown_keys_are_named() -> None:
    assert messages_for({}) == {"Name": ["This is needed."]}
    assert messages_for({"Name": None}) == {"Name": ["This is needed."]}
    assert messages_for({"Name": "Ann", "OccurredAt": "now"}) == {"OccurredAt": ["There is no such field."]}
    assert messages_for({"Name": "Ann", "book_id": CANONICAL}) == {"book_id": ["There is no such field."]}
