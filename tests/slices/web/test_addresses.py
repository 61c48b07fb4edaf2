"""Which spellings are one address, what is none, and that slices get to see a hash only."""

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from eventstore import FilterBuilder
from slices.codec import decode
from slices.fields import Email
from slices.lending.events import ClaimingReaderEmailFailed, ReaderContractCanceled, ReaderRegistered
from slices.testing import stored
from slices.web import JsonAnswer
from tests.slices.lending.world import ANN, ANN_REGISTERED, BOB, BOB_REGISTERED, LENT_TO_BOB, claimed, released
from tests.slices.web.shop import NOW, FixedEdge, Shop
from tests.slices.web.test_pages import flashed, see, submit, text_of

ADDRESS = "ann@example.org"
KEPT = FixedEdge().keyed_hash(ADDRESS)
REGISTER = "/api/lending/register-reader"
CLAIM = "/api/lending/claim-reader-email"

SPELLINGS = [
    (ADDRESS, ADDRESS),
    ("ANN@Example.ORG", ADDRESS),
    ("  ann@example.org\t\n", ADDRESS),
    ("\u3000ann@example.org\u2029", ADDRESS),
    ("ren\u00e9e@example.org", "ren\u00e9e@example.org"),
    ("RENE\u0301E@example.org", "ren\u00e9e@example.org"),
    ("ann@stra\u00dfe.example", "ann@strasse.example"),
    ("ann@STRASSE.example", "ann@strasse.example"),
    ("ann@STRA\u1e9eE.example", "ann@strasse.example"),
    ("ali@I.example", "ali@i.example"),
    ("ali@\u0130.example", "ali@i\u0307.example"),
    ("ali@I\u0307.example", "ali@i\u0307.example"),
    ("ali@\u0131.example", "ali@\u0131.example"),
    ("\u01f0@example.org", "\u01f0@example.org"),
    ("j\u030c@example.org", "\u01f0@example.org"),
    ("\u03b1\u0345\u0301@example.org", "\u03ac\u03b9@example.org"),
    ("\u212b@example.org", "\u00e5@example.org"),
    ("\uff21@example.org", "\uff41@example.org"),
    ("ann+books@sub.example.org", "ann+books@sub.example.org"),
    ("@".join(("a" * 242, "example.org")), "@".join(("a" * 242, "example.org"))),
]


@pytest.mark.parametrize(("typed", "kept"), SPELLINGS)
def test_case_accents_and_space_around_make_no_difference_and_all_else_does(typed: str, kept: str) -> None:
    assert Email().clean(typed) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ann",
        "@",
        "ann@",
        "@example.org",
        "ann@@example.org",
        "ann@example.org@example.org",
        "an n@example.org",
        "ann@exam\u00a0ple.org",
        "ann@example.\norg",
        "ann\x00@example.org",
        "ann\x7f@example.org",
        "ann\u200b@example.org",
        "ann\u202e@example.org",
        "ann\ud800@example.org",
        "ann\U000e0fff@example.org",
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError, match=r"Not an e-mail address: it has one @ .* invisible characters\.$"):
        Email().clean(text)


@pytest.mark.parametrize("value", [None, 7, ["ann@example.org"], {"ann": "@"}])
def test_only_a_text_is_an_address(value: object) -> None:
    with pytest.raises(ValidationError, match=r"Not a text\."):
        Email().clean(value)


@pytest.mark.parametrize("text", ["a" * 243 + "@example.org", "\u00df" * 122 + "@example.org"])
def test_an_address_has_at_most_254_characters_as_it_is_hashed(text: str) -> None:
    with pytest.raises(ValidationError, match=r"At most 254 characters, please\."):
        Email().clean(text)


SURPRISING = st.sampled_from(
    "aA.iI\u0130\u0131\u00df\u1e9e\u00e9\u01f0\u1fb4\u0390\u212a\u0301\u0307\u0345\u030c\uac00\u1100\u1161"
)
PRINTABLE = st.characters(exclude_categories=["C", "Z"], exclude_characters="@")


@given(st.text(SURPRISING | PRINTABLE, min_size=1, max_size=40), st.sampled_from(["NFC", "NFD"]))
@example("\u01f0", "NFC")
def test_cleaning_twice_changes_nothing_and_encodings_of_one_text_are_one(text: str, form: Any) -> None:
    typed = text + "@example.org"
    kept = Email().clean(typed)
    assert Email().clean(kept) == kept
    assert Email().clean(unicodedata.normalize(form, typed)) == kept


def newest_of(shop: Shop) -> object:
    *_, event = shop.store.query(FilterBuilder().matching_any_event())
    return decode(event)


@pytest.mark.parametrize(("path", "other"), [(REGISTER, {"Name": "Ann"}), (CLAIM, {})])
def test_a_program_sends_the_address_and_the_log_gets_its_hash(path: str, other: dict[str, str]) -> None:
    shop = Shop(stored(ANN_REGISTERED) if path == CLAIM else stored())
    response = shop.browser.post(path, json={"ReaderID": ANN, "Email": " ANN@Example.org", **other})
    assert response.status_code == 201
    assert newest_of(shop) == type(claimed(ANN))(ANN, KEPT, occurred_at=NOW)
    assert "example" not in response.get_data(as_text=True).lower()


@pytest.mark.parametrize(("path", "other"), [(REGISTER, {"Name": "Ann"}), (CLAIM, {})])
def test_nobody_sends_a_hash_of_their_own(path: str, other: dict[str, str]) -> None:
    response = Shop().browser.post(path, json={"ReaderID": ANN, "EmailHash": KEPT, **other})
    assert response.status_code == 422
    assert response.get_json()["errors"]["json"]["EmailHash"] == ["There is no such field."]


def test_an_address_that_is_none_is_not_repeated_in_the_answer() -> None:
    response = Shop().browser.post(CLAIM, json={"ReaderID": ANN, "Email": "ann at example.org"})
    assert response.status_code == 422
    assert "ann at" not in response.get_data(as_text=True)


def test_a_key_is_looked_up_with_the_hash_and_not_with_the_address() -> None:
    seen: list[Any] = []

    class Watching(FixedEdge):
        def once(self, route: str, fields: Mapping[str, Any], ids: Collection[str], answer: Any) -> JsonAnswer:
            seen.append(fields)
            return super().once(route, fields, ids, answer)

    shop = Shop(edge=Watching())
    shop.browser.post(CLAIM, json={"ReaderID": ANN, "Email": ADDRESS})
    shop.browser.post(REGISTER, json={"ReaderID": ANN, "Name": "Ann"})
    assert seen == [{"reader_id": ANN, "email_hash": KEPT}, {"reader_id": ANN, "name": "Ann"}]


def test_the_same_address_in_another_spelling_is_refused_to_another_reader() -> None:
    shop = Shop(stored(ANN_REGISTERED, BOB_REGISTERED))
    assert shop.browser.post(CLAIM, json={"ReaderID": ANN, "Email": "ANN@EXAMPLE.ORG"}).status_code == 201
    refused = shop.browser.post(CLAIM, json={"ReaderID": BOB, "Email": ADDRESS})
    assert (refused.status_code, refused.get_json()["reason"]) == (409, "EmailAlreadyClaimed")
    assert ANN not in refused.get_data(as_text=True)
    assert newest_of(shop) == ClaimingReaderEmailFailed(BOB, "EmailAlreadyClaimed", occurred_at=NOW)


def test_a_form_registers_with_an_address_or_without() -> None:
    shop = Shop()
    assert 'name="Email"' in see(shop, "/library/readers/register")
    assert submit(shop, "/library/readers/register", ReaderID=BOB, Name="Bob", Email="  ").status_code == 303
    assert newest_of(shop) == ReaderRegistered(BOB, "Bob", occurred_at=NOW)
    assert submit(shop, "/library/readers/register", ReaderID=ANN, Name="Ann", Email=ADDRESS).status_code == 303
    assert newest_of(shop) == type(claimed(ANN))(ANN, KEPT, occurred_at=NOW)
    assert shop.store.query(FilterBuilder().matching_any_event()).position == 3


def test_a_form_that_comes_back_keeps_the_address_that_was_typed() -> None:
    shop = Shop(stored(ANN_REGISTERED, BOB_REGISTERED, claimed(ANN, KEPT)))
    for typed, status in (("Ann@Example.org", 409), ("ann at example.org", 422)):
        response = submit(shop, "/library/readers/address", ReaderID=BOB, Email=typed)
        assert response.status_code == status
        assert f'value="{typed}"' in text_of(response)
        assert f'value="{BOB}"' in text_of(response)
    assert "Another reader is registered with this address." in text_of(
        submit(shop, "/library/readers/address", ReaderID=BOB, Email=ADDRESS)
    )


def test_an_address_is_changed_by_form() -> None:
    shop = Shop(stored(ANN_REGISTERED, claimed(ANN)))
    for _ in range(2):
        response = submit(shop, "/library/readers/address", ReaderID=ANN, Email=ADDRESS)
        assert (response.status_code, response.location) == (303, f"/library/readers/{ANN}")
    assert [(category, notice["text"]) for category, notice in flashed(shop)] == [
        ("written", "The address is the reader's now."),
        ("nothing", "The reader has this address already."),
    ]


def test_a_contract_is_ended_by_form_and_the_page_of_the_reader_says_so() -> None:
    shop = Shop(stored(BOB_REGISTERED))
    here = f"/library/readers/{BOB}"
    assert f"/library/readers/cancel?ReaderID={BOB}" in see(shop, here)
    assert f"/library/readers/address?ReaderID={BOB}" in see(shop, here)
    assert "It is refused while the reader has books." in see(shop, f"/library/readers/cancel?ReaderID={BOB}")
    response = submit(shop, "/library/readers/cancel", ReaderID=BOB)
    assert (response.status_code, response.location) == (303, here)
    assert newest_of(shop) == ReaderContractCanceled(BOB, occurred_at=NOW)
    page = see(shop, here)
    assert "The contract has ended." in page
    assert "/library/readers/cancel" not in page
    assert "/library/readers/address" not in page
    assert f"/library/readers/register?ReaderID={BOB}&amp;Name=Bob" in page
    assert f'value="{BOB}"' in see(shop, f"/library/readers/register?ReaderID={BOB}&Name=Bob")


def test_a_contract_does_not_end_while_books_are_out() -> None:
    shop = Shop(stored(BOB_REGISTERED, LENT_TO_BOB))
    response = submit(shop, "/library/readers/cancel", ReaderID=BOB)
    assert response.status_code == 409
    assert "The reader still has books. They have to come back first." in text_of(response)


def test_an_address_is_free_when_the_contract_has_ended() -> None:
    shop = Shop(stored(ANN_REGISTERED, claimed(ANN, KEPT), BOB_REGISTERED))
    assert shop.browser.post("/api/lending/cancel-reader-contract", json={"ReaderID": ANN}).status_code == 201
    assert newest_of(shop) == type(released(ANN))(ANN, KEPT, occurred_at=NOW)
    assert shop.browser.post(CLAIM, json={"ReaderID": BOB, "Email": ADDRESS}).status_code == 201
