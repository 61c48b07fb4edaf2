"""What is found by which words, and in which order. Without a database."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.lending.book_search.live import tsquery
from slices.lending.book_search.project import (
    LONGEST_WORD,
    MOST_TERMS,
    MOST_WORDS,
    BookFound,
    Mark,
    Put,
    Question,
    Release,
    Relevant,
    Remove,
    State,
    change,
    evolve,
    find,
    make,
    project,
    view,
    waves,
    words_of,
)
from slices.lending.book_search.query import BookSearchHandler, boundary
from slices.lending.events import BookCopyAddedToCirculation
from slices.questions import Replaying
from slices.testing import stored
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOOK,
    LENT_TO_ANN,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
)
from tests.slices.logs import any_log_of
from tests.slices.test_boundaries import types_of

relevant_logs = any_log_of(get_args(Relevant))


def book(title: str = "T", authors: str = "A", isbn: str = "9781098100131", number: int = 1) -> BookFound:
    return BookFound(book_id(number), isbn, title, authors, "First", "P", 2021)


def fits(question: str, *, title: str = "", authors: str = "", isbn: str = "9781098100131") -> bool:
    return find([book(title, authors, isbn)], Question(question)).total == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Domain-Driven Design", ("domain", "driven", "design")),
        ("O'Brien", ("o", "brien")),
        ("Émile, oder Über die Erziehung", ("emile", "oder", "uber", "die", "erziehung")),
        ("E\u0301mile", ("emile",)),
        ("STRASSE Straße", ("strasse", "strasse")),
        ("ﬁnance", ("finance",)),
        ("𝐀𝐁 Ａ", ("ab", "a")),
        ("Мастер и Маргарита, ещё Й", ("мастер", "и", "маргарита", "еще", "и")),
        ("İstanbul ILIKA", ("istanbul", "ilika")),
        ("ᾳ ΟΔΥΣΣΕΎΣ", ("αι", "οδυσσευσ")),
        ("三体问题", ("三体问题",)),
        ("ガラスの", ("カラスの",)),
        ("हिन्दी", ("हनद",)),
        ("C++ and C#", ("c", "and", "c")),
        ("x² Ⅷ ½", ("x2", "viii", "1", "2")),
        ("snake_case", ("snake", "case")),
        ("📚🏳️‍🌈 emoji", ("emoji",)),
        ("a\x00b\u2028c\u00a0d", ("a", "b", "c", "d")),
        ("' :* & | ! ( ) \\ <-> \"", ()),
        ("", ()),
        ("x" * 5000, ("x" * LONGEST_WORD,)),
    ],
)
def test_a_text_has_these_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@settings(deadline=None)
@given(st.text())
def test_a_word_consists_of_letters_and_digits_and_is_short_enough(text: str) -> None:
    for word in words_of(text):
        assert word.isalnum()
        assert len(word) <= LONGEST_WORD
        assert len(word.encode("utf-8", "surrogatepass")) < 2047


@settings(deadline=None)
@given(st.text())
def test_capitals_make_no_difference(text: str) -> None:
    assert words_of(text.casefold()) == words_of(text)


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_every_word_of_a_title_and_every_beginning_of_it_finds_the_copy(title: str, authors: str, rest: str) -> None:
    for word in words_of(f"{title} {authors}")[:MOST_WORDS]:
        assert fits(word, title=title, authors=authors)
        assert fits(word[:1], title=title, authors=authors)
    assert not fits(f"nowhere{rest} {title}", title=title)


@pytest.mark.parametrize(
    "question",
    ["domain", "DOMAIN driv", "vlad dom", "design  khononov", "dom dom", "Domaín", "d", "domain-driven", "", " ", "&"],
)
def test_beginnings_of_words_find_a_copy_in_any_order(question: str) -> None:
    assert fits(question, title="Learning Domain-Driven Design", authors="Vlad Khononov")


@pytest.mark.parametrize("question", ["omain", "domainx", "domain cobol", "learningdomain", "'", "driven' OR '1'='1"])
def test_other_words_do_not_find_it(question: str) -> None:
    expected = not words_of(question)
    assert fits(question, title="Learning Domain-Driven Design", authors="Vlad Khononov") == expected


@pytest.mark.parametrize(
    "question",
    ["9781098100131", "978-1-098-10013-1", "978", "978-1", "978-1-", "9781098", "978‐1‑098", "978–1", "learning 978-1"],
)
def test_an_isbn_is_found_by_its_first_digits_with_or_without_hyphens(question: str) -> None:
    assert fits(question, title="Learning", isbn="9781098100131")
    assert fits(question, title="Learning", isbn="978-1-098-10013-1")


@pytest.mark.parametrize("question", ["781098", "978-2", "978-1-098-10013-1-5", "1-098", "x-978"])
def test_other_digits_do_not_find_an_isbn(question: str) -> None:
    assert not fits(question, title="Learning", isbn="9781098100131")


def test_years_with_a_hyphen_are_words_too() -> None:
    assert fits("2001-2010", title="Essays 2001-2010")
    assert fits("0-8044-2957-x", isbn="080442957X")


def test_what_is_too_long_is_cut_on_both_sides() -> None:
    assert fits("x" * 3000, title="x" * 5000)
    assert fits("1" * 3000 + "-" + "1" * 3000, isbn="1" * 5000)
    many = book(" ".join(f"word{number}" for number in range(3 * MOST_WORDS)))
    assert len(many.words) == MOST_WORDS
    assert len(Question("a " * 100).terms) == MOST_TERMS
    assert len(book("ẞ" * 5000).sort_key) == 200


def test_without_a_question_every_copy_is_shown_by_title_and_id() -> None:
    titles = ["banana", "Apple", "ähre", "Zebra", "apple", ""]
    history = [added(book_id(number), title) for number, title in enumerate(titles)]
    assert [(found.title, found.book_id[-1]) for found in project(history)] == [
        ("", "5"),
        ("Apple", "1"),
        ("apple", "4"),
        ("banana", "0"),
        ("Zebra", "3"),
        ("ähre", "2"),
    ]


def test_pages_have_25_rows() -> None:
    books = project([added(book_id(number), f"Volume {number:02}") for number in range(60)])
    second = find(books, Question("vol", page="2"))
    assert (second.total, second.number, second.pages) == (60, 2, 3)
    assert [found.title for found in second.rows] == [f"Volume {number}" for number in range(25, 50)]
    assert find(books, Question("vol", page="9")).number == 3


def test_free_and_lent_copies_can_be_shown_alone() -> None:
    books = project([ADDED, added(OTHER_BOOK, "Dune"), LENT_TO_ANN])
    for show, found in (("all", [OTHER_BOOK, BOOK]), ("free", [OTHER_BOOK]), ("lent", [BOOK])):
        assert [book.book_id for book in find(books, Question(show=show)).rows] == found  # type: ignore[arg-type]


def test_a_held_copy_is_neither_free_nor_lent() -> None:
    books = project([ADDED, held(BOOK, BOB)])
    assert [find(books, Question(show=show)).total for show in ("all", "free", "lent")] == [1, 0, 0]
    for ended, free in ((gave_up(BOOK, BOB), 1), (hold_expired(BOOK, BOB), 1), (gave_up(BOOK, ANN), 0)):
        assert find(project([ADDED, held(BOOK, BOB), ended]), Question(show="free")).total == free


COPY = BookFound(BOOK, "9781098100131", ADDED.title, "Vlad Khononov", ADDED.edition, ADDED.publisher, 2021)


def test_each_event_changes_one_row() -> None:
    assert change(ADDED) == Put(COPY)
    assert change(LENT_TO_ANN) == Mark(BOOK, is_lent=True)
    assert change(RETURNED_BY_ANN) == Mark(BOOK, is_lent=False)
    assert change(held(BOOK, BOB)) == Mark(BOOK, is_lent=False, held_for=BOB)
    assert change(gave_up(BOOK, BOB)) == change(hold_expired(BOOK, BOB)) == Release(BOOK, BOB)
    assert change(REMOVED) == Remove(BOOK)


def found(*events: Relevant) -> list[BookFound]:
    return list(find(project(events), Question()).rows)


def test_a_copy_that_is_not_in_circulation_is_not_found_and_comes_back_as_it_was() -> None:
    assert found(ADDED, REMOVED) == found(lent(OTHER_BOOK, BOOK)) == found(REMOVED, held(BOOK, BOB)) == []
    assert found(ADDED, LENT_TO_ANN, RETURNED_BY_ANN, REMOVED, ADDED) == [COPY]
    assert found(ADDED, held(BOOK, BOB), REMOVED, ADDED) == [replace(COPY, held_for=BOB)], (
        "as the rules of lending have it"
    )
    assert found(ADDED, held(BOOK, BOB), REMOVED, gave_up(BOOK, BOB), ADDED) == [COPY]


def test_each_row_has_one_change_in_a_step_and_marks_that_follow_each_other_are_one() -> None:
    another = added(OTHER_BOOK)
    events = (ADDED, LENT_TO_ANN, RETURNED_BY_ANN, held(BOOK, BOB), another, gave_up(BOOK, BOB), REMOVED)
    first, *more = waves(events)
    assert first == (Put(COPY), change(another))
    assert more == [(Mark(BOOK, is_lent=False, held_for=BOB),), (Release(BOOK, BOB),), (Remove(BOOK),)]
    assert list(waves([])) == []


@settings(deadline=None)
@given(before=relevant_logs, events=relevant_logs)
def test_the_steps_do_what_the_events_do_one_by_one(before: Any, events: Any) -> None:
    one_by_one, at_once = dict(State().books), dict(State().books)
    for event in before:
        make(change(event), one_by_one)
        make(change(event), at_once)
    for event in events:
        make(change(event), one_by_one)
    for step in waves(events):
        for change_of_a_row in reversed(step):
            make(change_of_a_row, at_once)
        assert len({row.book_id for row in step}) == len(step)
    assert at_once == one_by_one


def test_the_events_are_those_that_change_what_is_shown() -> None:
    assert types_of(Relevant) == {event_type for item in boundary().items for event_type in item.event_types}
    assert view(evolve(State(), ADDED)) == project([ADDED])


def test_an_answer_from_the_log_is_up_to_date_and_says_how_far_it_goes() -> None:
    handler = BookSearchHandler(Replaying(stored(ADDED, ANN_REGISTERED)))
    answer = handler.handle(Question("vlad"))
    assert (answer.view.total, answer.position, answer.head, answer.is_behind) == (1, 2, 2, False)
    assert not handler.handle(Question("vlad"), 2).is_behind
    assert handler.handle(Question("vlad"), 3).is_behind, "no such event was ever written"


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("", ""),
        ("vlad", "(('vlad':*))"),
        ("vlad dom", "(('vlad':*)) & (('dom':*))"),
        ("o'brien", "(('o':* & 'brien':*))"),
        ("978-1-", "(('978':* & '1':*) | ('9781':*))"),
        ("' :* & | ! ( ) \\", ""),
    ],
)
def test_a_question_as_a_text_search_of_postgresql(question: str, query: str) -> None:
    assert tsquery(Question(question).terms) == query


def test_a_copy_of_unknown_isbn_is_found_by_its_words() -> None:
    history = [BookCopyAddedToCirculation(BOOK, "", "", "", "", "", 0, occurred_at=NOON)]
    [found] = project(history)
    assert found.words == ()
    assert find([found], Question("")).total == 1
