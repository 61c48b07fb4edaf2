"""JSON as PostgreSQL understands it, asked of PostgreSQL itself."""

from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors

from eventstore.json_values import (
    DEEPEST_NESTING,
    NotJson,
    as_jsonb_text,
    canonical_text,
    check_object,
    contains,
    from_python,
    parse,
)
from eventstore.postgres.pool import Pool
from tests.eventstore.json_texts import NO_UTF_8, PARTS, SPELLINGS, TEXTS


@pytest.fixture(scope="module")
def server(pool: Pool) -> Any:
    with pool.connection() as connection:
        yield connection


def as_stored(server: Connection[Any], text: bytes) -> str | None:
    """How PostgreSQL prints the text as jsonb; None if it refuses."""
    try:
        row = server.execute("SELECT convert_from(%b, 'UTF8')::jsonb::text", [text]).fetchone()
    except (psycopg.DataError, errors.StatementTooComplex):  # the latter: nested too deep
        return None
    assert row is not None
    return str(row[0])


def as_we_would_store(text: bytes) -> str | None:
    try:
        return as_jsonb_text(parse(text))
    except NotJson:
        return None


def accepted_as_object(text: bytes) -> bool:
    try:
        check_object(text)
    except NotJson:
        return False
    return True


def test_we_accept_refuse_and_print_what_jsonb_accepts_refuses_and_prints(server: Connection[Any]) -> None:
    disagreements = []
    # PostgreSQL 15 refuses a zero with this exponent, which newer ones take for 0, as we do.
    unlike = {"0E1073741823"} if server.info.server_version < 160_000 else set[str]()
    for text in (text for text in TEXTS if text not in unlike):
        for document in (text.encode(), f'{{"k": {text}}}'.encode(), f"[{text}, {text}]".encode()):
            stored, ours = as_stored(server, document), as_we_would_store(document)
            if ours != stored:
                disagreements.append((document[:99], ours, stored))
            is_object = stored is not None and stored.startswith("{")
            if accepted_as_object(document) != is_object:
                disagreements.append((document[:99], "accepted" if not is_object else "refused", stored))
    assert disagreements == []


def test_bytes_that_are_no_utf_8_are_refused_as_postgresql_refuses_them(server: Connection[Any]) -> None:
    for text in NO_UTF_8:
        for document in (text, b'{"k": ' + text + b"}"):
            assert as_stored(server, document) is None, document
            assert as_we_would_store(document) is None, document
            assert not accepted_as_object(document), document


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_nesting_is_accepted_as_deep_as_we_say_and_postgresql_goes_deeper(
    server: Connection[Any], opening: str, closing: str
) -> None:
    """The one point where we are stricter: what PostgreSQL accepts depends on the size of its stack."""
    levels = DEEPEST_NESTING // (opening.count("[") + opening.count("{"))
    deepest = opening * levels + "1" + closing * levels
    assert as_we_would_store(deepest.encode()) == as_stored(server, deepest.encode()) is not None
    too_deep = opening * (levels + 1) + "1" + closing * (levels + 1)
    assert as_we_would_store(too_deep.encode()) is None
    assert not accepted_as_object(too_deep.encode())
    for levels in (1_000, 100_000):
        text = (opening * levels + "1" + closing * levels).encode()
        assert as_we_would_store(text) is None
        assert not accepted_as_object(text)


def test_many_brackets_side_by_side_are_not_deep(server: Connection[Any]) -> None:
    wide = ('{"a": [' + ", ".join(["{}"] * 1000) + "]}").encode()
    assert accepted_as_object(wide)
    assert as_we_would_store(wide) == as_stored(server, wide)


def test_every_character_is_printed_as_jsonb_prints_it(server: Connection[Any]) -> None:
    points = [*range(1, 0x300), *range(0xD7F0, 0xD800), *range(0xE000, 0xE010), *range(0xFFF0, 0x10010), 0x10FFFF]
    for text in ("".join(chr(point) for point in points), "".join(chr(point) for point in range(0x2000, 0x2100))):
        value = {"k": text, text: None}
        ours = as_jsonb_text(from_python(value))
        assert as_stored(server, ours.encode()) == ours
        escaped = "".join(f"\\u{ord(character):04X}" for character in text if ord(character) < 0x10000)
        document = f'{{"{escaped}": "{escaped}"}}'.encode()
        assert as_we_would_store(document) == as_stored(server, document)


def test_containment_below_the_top_level_is_that_of_jsonb(server: Connection[Any]) -> None:
    rows = server.execute(
        """
        SELECT w.text, p.text, jsonb_build_object('k', w.text::jsonb) @> jsonb_build_object('k', p.text::jsonb)
        FROM unnest(%(texts)s::text[]) w (text), unnest(%(texts)s::text[]) p (text)
        """,
        {"texts": PARTS},
    ).fetchall()
    assert len(rows) == len(PARTS) ** 2
    disagreements = [
        (whole, part, expected)
        for whole, part, expected in rows
        if contains(parse(whole.encode()), parse(part.encode())) is not expected
    ]
    assert disagreements == []


def test_equal_values_have_one_canonical_text_and_others_another(server: Connection[Any]) -> None:
    rows = server.execute(
        "SELECT a.text, b.text, a.text::jsonb = b.text::jsonb FROM unnest(%(texts)s::text[]) a (text),"
        " unnest(%(texts)s::text[]) b (text)",
        {"texts": SPELLINGS},
    ).fetchall()
    for one, other, equal in rows:
        texts = {canonical_text(parse(text.encode())) for text in (one, other)}
        assert (len(texts) == 1) is equal, (one, other)
