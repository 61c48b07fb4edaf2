"""The rows in PostgreSQL give the answers that the replayed question gives, for any log and any words."""

import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore import Batch, FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import TableName
from slices.lending.book_search import live as live_module
from slices.lending.book_search.live import LiveBookSearchHandler, model, search
from slices.lending.book_search.project import BookFound, Question, Relevant, find, project
from slices.lending.book_search.query import BookSearchHandler
from slices.lending.events import BookCopyAddedToCirculation
from slices.live.answering import LiveAnswers
from slices.live.connection import own_connection
from slices.live.generations import Generation, Generations
from slices.live.runner import LiveRunner
from slices.live.schema import create_tables
from slices.questions import Replaying
from slices.testing import stored, write
from tests.slices.lending.world import (
    ADDED,
    ANN,
    BOOK,
    LENT_TO_ANN,
    NOON,
    OTHER_BOOK,
    REMOVED,
    RETURNED_BY_ANN,
    added,
    book_id,
    held,
)
from tests.slices.logs import any_log_of
from tests.slices.test_snapshotted import words_of_code

VERSION_OF_THE_CODE = (1, "ca6a1a5d")
"""The version of the rows, and the code of live.py that keeps them (that of project.py is noted in test_snapshotted).

Rows are kept in databases. When the code is another one, raise the version if the rows mean something else now, and
note the new code here.
"""

EVERYTHING = FilterBuilder().matching_any_event()

PIECES = [
    "Emma", "O'Brien", "Мастер", "Émile", "E\u0301mile", "Straße", "三体", "ガラス", "हिन्दी", "İ", "📚",
    "978-1-098", "9781098100131", "2001-2010", "x" * 3000, "𝕏" * 800,
    "'", "''", ":*", "&", "|", "!", "\\", "\\'", "(", "<->", "%", "_", "$1",
]  # fmt: skip
NASTY = ["", " ", "'); DROP TABLE events; --", "a:*b & c", "\ud800", "a\x00b", "x" * 100_000]
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")  # jsonb takes all others
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(TEXT, max_size=5)), max_size=4).map(" ".join)
questions = st.builds(
    Question,
    text=st.one_of(texts, st.text(), texts.map(lambda text: text[: len(text) // 2])),
    show=st.sampled_from(["all", "free", "lent"]),
    page=st.sampled_from([None, "1", "2", "99"]),
)
relevant_logs = any_log_of(get_args(Relevant), texts)


@pytest.fixture(scope="module")
def generations(dsn: str, pool: Pool) -> Iterator[Generations]:
    """For generations of rows without a store: they are filled by hand."""
    table = f"events_{uuid.uuid4().hex[:12]}"
    PostgresEventStore(pool, table).create_schema()
    create_tables(pool, model, table)
    name = TableName.parse(table)
    with own_connection(dsn, name, model.name) as connection:
        yield Generations(connection, name, model)


def filled(generations: Generations, log: list[Any], batch_size: int) -> Generation:
    """A new generation, into which a log was taken in batches."""
    generations.drop_others()
    generation = generations.add()
    generations.index(generation)
    events = stored(*log).query(EVERYTHING).events
    for start in range(0, len(events), batch_size):
        batch = events[start : start + batch_size]
        generation = generations.advance(generation, Batch(batch, batch[-1].sequence_number))
    return generation


@settings(deadline=None)
@given(log=relevant_logs, batch_size=st.integers(1, 40), asked=st.lists(questions, min_size=1, max_size=5))
def test_rows_and_replay_agree_for_any_log_any_question_and_any_batches(
    generations: Generations, log: list[Any], batch_size: int, asked: list[Question]
) -> None:
    rows = generations.rows(filled(generations, log, batch_size))
    for question in [Question(), *asked]:
        assert search(rows, question) == find(project(log), question)


@pytest.mark.parametrize(
    "typed", [*PIECES, "", " ", "'); DROP TABLE events; --", "a:*b & c", "\ud800", "a\x00b", "x" * 10**5]
)
def test_whatever_is_typed_is_only_looked_for(generations: Generations, typed: str) -> None:
    log = [added(book_id(number), piece) for number, piece in enumerate(PIECES)]
    rows = generations.rows(filled(generations, log, 100))
    for text in (typed, f"{typed} {typed}", f"Emma {typed}", typed[:2]):
        assert search(rows, Question(text)) == find(project(log), Question(text))


def test_a_copy_may_have_as_many_words_as_an_event_can_hold(generations: Generations) -> None:
    title = " ".join(f"{number:x}{'𝕏' * 150}" for number in range(3000))
    log = [BookCopyAddedToCirculation(BOOK, title, title, title, "", "", 2021, occurred_at=NOON), added(OTHER_BOOK)]
    rows = generations.rows(filled(generations, log, 1))
    for text in (title, "2", "bb7", "learning"):
        assert search(rows, Question(text)) == find(project(log), Question(text))


def test_pages_and_order_are_the_same(generations: Generations) -> None:
    titles = ["Ä", "a", "B", "b", "z", "Z", "ß", "Я", "三", "𝕏", "～", ""]
    log = [added(book_id(number), f"{titles[number % 12]} volume") for number in range(130)]
    rows = generations.rows(filled(generations, log, 7))
    for text in ("", "vol"):
        for page in (None, "0", "1", "2", "5", "6", "7", "x"):
            assert search(rows, Question(text, page=page)) == find(project(log), Question(text, page=page))


def test_a_copy_that_is_added_again_has_its_new_data_and_is_held_for_whom_it_was_held(generations: Generations) -> None:
    again = BookCopyAddedToCirculation(BOOK, "9780306406157", "T", "A", "E", "P", 1999, occurred_at=NOON)
    log = [ADDED, held(BOOK, ANN), REMOVED, again]
    for batch_size in (1, 2, 4):
        rows = generations.rows(filled(generations, log, batch_size))
        [found] = search(rows, Question()).rows
        assert found == BookFound(BOOK, "9780306406157", "T", "A", "E", "P", 1999, held_for=ANN)
        assert search(rows, Question("9780306")).total == 1
        assert search(rows, Question("learning")).total == 0


def test_the_order_does_not_depend_on_the_collation_of_the_database(generations: Generations) -> None:
    rows = generations.rows(filled(generations, [], 1))
    asked = "SELECT column_name, collation_name FROM information_schema.columns WHERE table_name = %(table)s"
    collations = dict(rows.run(asked, {"table": rows.table}))
    assert (collations["sort_key"], collations["book_id"]) == ("C", "C")


def test_the_index_is_used(generations: Generations) -> None:
    rows = generations.rows(filled(generations, [added(book_id(number)) for number in range(50)], 50))
    plan = rows.run("EXPLAIN SELECT count(*) FROM {rows} WHERE words @@ 'vlad:*'::tsquery")
    assert any("Bitmap Index Scan" in line and "words" in line for (line,) in plan)


def test_a_search_is_kept_up_to_date_through_the_life_of_a_copy(
    dsn: str, store: PostgresEventStore, pool: Pool, table: str
) -> None:
    create_tables(pool, model, table)
    live = LiveBookSearchHandler(LiveAnswers(pool, table, patience=60.0))
    replayed = BookSearchHandler(Replaying(store))
    with LiveRunner(model, store, dsn, table):
        for event in (ADDED, added(OTHER_BOOK, "Dune"), LENT_TO_ANN, RETURNED_BY_ANN, REMOVED, ADDED):
            write(store, event)
            head = store.query(EVERYTHING).position
            for question in (Question(), Question("vlad dom"), Question(show="free"), Question("dune", "lent")):
                answer = live.handle(question, head)
                assert answer == replayed.handle(question, head)
                assert not answer.is_behind


def test_the_version_stands_for_the_code_that_makes_the_rows() -> None:
    code = hashlib.sha256(" ".join(words_of_code(Path(live_module.__file__))).encode()).hexdigest()[:8]
    assert (model.version, code) == VERSION_OF_THE_CODE
    assert (model.name, model.version) == (project.name, project.version)
