"""Questions with snapshots: the same answers, sooner; another version starts anew; a broken snapshot fails nobody."""

import hashlib
import logging
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore import InMemoryEventStore, InMemorySnapshotStore, Snapshot, SnapshotKey, StoreUnavailable
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore
from eventstore.postgres.pool import Pool
from slices.domain_event import DomainEvent
from slices.lending.books_in_circulation.project import project as books_in_circulation
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.books_in_circulation.query import boundary as boundary_of_books
from slices.lending.books_lent_by_reader.query import BooksLentByReaderHandler
from slices.questions import Projection, Replaying
from slices.snapshotted import Snapshotted
from slices.testing import stored, write
from tests.slices.lending.world import ADDED, ANN, ANN_REGISTERED, BOOK, LENT_TO_ANN, OTHER_BOOK, RETURNED_BY_ANN, added
from tests.slices.logs import FEW_IDS, any_log
from tests.slices.test_boundaries import QUESTIONS, example_question, imports_of, module_of, slice_names

FOLDED_LIKE_THIS = {
    "book_search": (1, "0a07bb2a"),
    "books_in_circulation": (2, "59864025"),
    "books_lent_by_reader": (2, "c56799ff"),
    "books_lent_out": (1, "cc0edd41"),
    "canceled_readers": (1, "07236f52"),
    "course_catalogue": (1, "8af74a46"),
    "course_roster": (1, "f5237b95"),
    "finished_lendings": (1, "856ebdc2"),
    "registered_readers": (1, "44694019"),
    "registered_students": (1, "079fb8cf"),
    "removed_books": (1, "0cf130eb"),
    "student_schedule": (1, "a6a08669"),
    "waiting_lists": (1, "0894f0e4"),
}
"""The version of each projection, and the code that it stands for.

States are kept in databases. When the code is another one, raise the version if `State` or `evolve` mean something else
now, and note the new code here.
"""


@pytest.mark.parametrize("folder", QUESTIONS, ids=slice_names(QUESTIONS))
@given(before=any_log, after=any_log, about=st.sampled_from(FEW_IDS))
def test_snapshot_and_tail_answer_like_the_whole_history(
    folder: Any, before: list[DomainEvent], after: list[DomainEvent], about: str
) -> None:
    boundary = example_question(folder, about)
    project: Projection[Any, Any, Any] = module_of(folder, "project").project
    store, snapshots = InMemoryEventStore(), InMemorySnapshotStore()
    replaying = Replaying(store)
    snapshotted = Snapshotted(replaying, snapshots, save_after=1)
    for events in (before, after, []):
        write(store, *events)
        assert snapshotted.ask(boundary, project) == replaying.ask(boundary, project)


def words_of_code(path: Path) -> Iterator[str]:
    """What a module does, whatever its comments, docstrings and line breaks say."""
    begins = True
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in {tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE}:
                begins = True
            elif token.type not in {tokenize.ENCODING, tokenize.COMMENT, tokenize.NL}:
                if not (begins and token.type == tokenize.STRING):
                    yield token.string
                begins = False


def files_that_fold(folder: Path) -> Iterator[Path]:
    """The projection, and what its context lends to it besides events."""
    yield folder / "project.py"
    context = f"slices.{folder.parent.name}"
    for name in sorted(imports_of(folder / "project.py")):
        if name.startswith(f"{context}.") and name != f"{context}.events":
            yield folder.parent / f"{name.removeprefix(context + '.')}.py"


def code_of(paths: Iterable[Path]) -> str:
    """A short hash of what modules do."""
    words = [word for path in paths for word in words_of_code(path)]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]


@pytest.mark.parametrize("folder", QUESTIONS, ids=slice_names(QUESTIONS))
def test_a_projection_is_named_after_its_slice_and_its_version_stands_for_its_code(folder: Any) -> None:
    module = module_of(folder, "project")
    assert module.project.name == folder.name
    assert (module.project.version, code_of(files_that_fold(folder))) == FOLDED_LIKE_THIS[folder.name]


def test_only_what_came_later_is_folded() -> None:
    store, snapshots = stored(ADDED, added(OTHER_BOOK)), InMemorySnapshotStore()
    folded: list[DomainEvent] = []

    def evolve(state: Any, event: Any) -> Any:
        folded.append(event)
        return books_in_circulation.evolve(state, event)

    watched = replace(books_in_circulation, evolve=evolve)
    questions = Snapshotted(Replaying(store), snapshots, save_after=2)
    assert questions.ask(boundary_of_books(), watched).position == 2
    write(store, LENT_TO_ANN)
    answer = questions.ask(boundary_of_books(), watched)
    assert [book.is_lent for book in answer.view] == [True, False]
    assert folded == [ADDED, added(OTHER_BOOK), LENT_TO_ANN]


def test_a_state_of_another_version_is_not_used() -> None:
    store, snapshots = stored(ADDED), InMemorySnapshotStore()
    questions = Snapshotted(Replaying(store), snapshots, save_after=1)
    questions.ask(boundary_of_books(), replace(books_in_circulation, evolve=lambda state, _event: state))
    assert questions.ask(boundary_of_books(), books_in_circulation).view == ()
    assert len(questions.ask(boundary_of_books(), replace(books_in_circulation, version=3)).view) == 1


def test_one_reader_is_not_answered_with_the_state_of_another() -> None:
    store = stored(ADDED, ANN_REGISTERED, LENT_TO_ANN)
    handler = BooksLentByReaderHandler(Snapshotted(Replaying(store), InMemorySnapshotStore(), save_after=1))
    ann = handler.handle(ANN).view
    assert ann is not None
    assert [(loan.book_id, loan.title) for loan in ann.loans] == [(BOOK, ADDED.title)]
    assert handler.handle(OTHER_BOOK).view is None


class NoSnapshots(InMemorySnapshotStore):
    """A place for snapshots that does not answer."""

    def load(self, key: SnapshotKey) -> Snapshot | None:
        raise StoreUnavailable("the disk of the snapshots is gone", outcome_unknown=False)


def test_a_snapshot_that_is_out_of_reach_fails_no_question_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    questions = Snapshotted(Replaying(stored(ADDED)), NoSnapshots(), save_after=1)
    with caplog.at_level(logging.WARNING):
        assert len(BooksInCirculationHandler(questions).handle().view) == 1
    assert "books_in_circulation" in caplog.text
    assert "the disk of the snapshots is gone" in caplog.text


def test_states_are_kept_in_postgresql(store: PostgresEventStore, pool: Pool, table: str) -> None:
    snapshots = PostgresSnapshotStore(pool, table)
    handler = BooksInCirculationHandler(Snapshotted(Replaying(store), snapshots, save_after=1))
    write(store, ADDED, LENT_TO_ANN)
    assert [book.is_lent for book in handler.handle().view] == [True]
    kept = snapshots.load(SnapshotKey.of("books_in_circulation", books_in_circulation.version, boundary_of_books()))
    assert kept is not None
    assert kept.sequence_number == 2
    write(store, RETURNED_BY_ANN)
    answer = handler.handle()
    assert ([book.is_lent for book in answer.view], answer.position) == ([False], 3)
