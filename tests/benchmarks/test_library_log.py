"""The history is one that the rules allow, and has the shape that the measurements need."""

import random
from itertools import islice, pairwise

import pytest

from benchmarks.library_log import FEWEST_EVENTS, Library
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from tests.benchmarks.replay import replay


@pytest.mark.parametrize("events", [FEWEST_EVENTS, FEWEST_EVENTS + 1, 100, 335, 480])
def test_the_rules_allow_every_event(events: int) -> None:
    history = list(Library.of(events).history())
    assert len(history) == events
    replay(history)


def test_every_copy_is_back_in_the_end() -> None:
    away = set[str]()
    for event in Library.of(500).history():
        match event:
            case BookCopyLentToReader():
                away.add(event.book_id)
            case BookCopyReturnedByReader():
                away.remove(event.book_id)
    assert not away


def test_a_copy_and_a_reader_who_never_met_know_30_events() -> None:
    library = Library.of(16 * 40)
    knowing = {
        name: [
            each for each in library.history() if name in {getattr(each, "book_id", ""), getattr(each, "reader_id", "")}
        ]
        for name in (*library.books, *library.readers)
    }
    assert {len(events) for events in knowing.values()} == {15}


def test_time_goes_forward() -> None:
    assert all(earlier.occurred_at < later.occurred_at for earlier, later in pairwise(Library.of(400).history()))


def test_it_is_the_same_each_time() -> None:
    assert list(Library.of(200).copy_lines()) == list(Library.of(200).copy_lines())
    assert Library.of(200).books[0] != Library.of(400).books[0]


def test_ids_are_never_used_twice() -> None:
    library = Library.of(1600)
    ids = [*library.books, *library.readers, *(line.partition("\t")[0] for line in library.copy_lines())]
    assert len(set(ids)) == len(ids)


def test_no_pair_takes_a_copy_twice_before_all_had_their_turn() -> None:
    library = Library.of(320)
    turn = list(islice(library.pairs(random.Random(1)), 20))
    assert {pair.book_id for pair in turn} == set(library.books)
    assert {pair.reader_id for pair in turn} == set(library.readers)


@pytest.mark.parametrize("events", [0, FEWEST_EVENTS - 1, 10**9])
def test_a_history_that_is_too_short_or_too_long_is_refused(events: int) -> None:
    with pytest.raises(ValueError, match=str(events)):
        Library.of(events)
