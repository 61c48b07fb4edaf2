"""Who waits for what, for whom it lies ready until when, and in which order all that is told."""

from datetime import timedelta

from slices.lending.limits import TIME_TO_COLLECT
from slices.lending.waiting_lists.project import CopyInDemand, WaitingReader, project
from slices.lending.waiting_lists.query import MOST_NAMES_ASKED_FOR, WaitingListsHandler, boundary_of_names
from slices.questions import Replaying
from slices.testing import stored
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    CAT,
    LENT_TO_ANN,
    LENT_TO_BOB,
    NOON,
    OTHER_BOOK,
    added,
    book_id,
    gave_up,
    held,
    hold_expired,
    lent,
    reserved,
)


def waiting(*reader_ids: str) -> tuple[WaitingReader, ...]:
    return tuple(WaitingReader(reader_id) for reader_id in reader_ids)


def test_readers_wait_in_the_order_in_which_they_reserved() -> None:
    [copy] = project([reserved(BOOK, BOB), reserved(BOOK, CAT), reserved(BOOK, ANN), gave_up(BOOK, CAT)])
    assert copy == CopyInDemand(BOOK, waiting(BOB, ANN), held_for=None, held_until=None)


def test_who_has_a_copy_held_is_still_on_the_list() -> None:
    [copy] = project([reserved(BOOK, BOB), reserved(BOOK, CAT), held(BOOK, BOB)])
    assert copy == CopyInDemand(BOOK, waiting(BOB, CAT), WaitingReader(BOB), NOON + TIME_TO_COLLECT)


def test_a_copy_that_nobody_waits_for_any_more_is_not_listed() -> None:
    assert project([LENT_TO_ANN]) == ()
    assert project([reserved(BOOK, BOB), gave_up(BOOK, BOB)]) == ()
    assert project([reserved(BOOK, BOB), held(BOOK, BOB), LENT_TO_BOB]) == ()
    assert project([reserved(BOOK, BOB), held(BOOK, BOB), hold_expired(BOOK, BOB)]) == ()


def test_held_copies_come_first_by_the_end_of_the_hold_then_the_others_in_the_order_of_the_log() -> None:
    copies = [book_id(number) for number in range(6)]
    lists = [reserved(copy, ANN) for copy in copies]
    holds = [held(copies[4], ANN, NOON + timedelta(hours=2)), held(copies[2], ANN, NOON + timedelta(hours=1))]
    begins_again = (gave_up(copies[0], ANN), reserved(copies[0], ANN))
    found = project([*lists, *holds, held(copies[5], ANN, NOON + timedelta(hours=2)), *begins_again])
    assert [copy.book_id[-1] for copy in found] == ["2", "4", "5", "1", "3", "0"]


def test_a_hold_is_past_its_time_when_its_last_moment_is_over() -> None:
    [copy] = project([reserved(BOOK, BOB), held(BOOK, BOB, NOON)])
    assert not copy.is_past_its_time(NOON)
    assert copy.is_past_its_time(NOON + timedelta(microseconds=1))
    [not_held] = project([reserved(BOOK, BOB)])
    assert not not_held.is_past_its_time(NOON)


def test_copies_and_readers_have_their_names() -> None:
    store = stored(
        ADDED,
        added(OTHER_BOOK, "Dune"),
        ANN_REGISTERED,
        BOB_REGISTERED,
        lent(OTHER_BOOK, CAT),
        reserved(OTHER_BOOK, ANN),
        reserved(BOOK, BOB),
        reserved(BOOK, CAT),
        held(BOOK, BOB),
    )
    answer = WaitingListsHandler(Replaying(store)).handle()
    assert [(copy.title, copy.authors) for copy in answer.view] == [
        (ADDED.title, ADDED.authors),
        ("Dune", ADDED.authors),
    ]
    assert answer.view[0].held_for == WaitingReader(BOB, "Bob")
    assert answer.view[0].readers == (WaitingReader(BOB, "Bob"), WaitingReader(CAT, ""))
    assert answer.view[1].readers == (WaitingReader(ANN, "Ann"),)
    assert answer.position == 9


def test_where_nobody_waits_no_names_are_asked_for() -> None:
    answer = WaitingListsHandler(Replaying(stored(ADDED, LENT_TO_ANN))).handle()
    assert (answer.view, answer.position) == ((), 2)


def test_a_copy_that_is_held_for_somebody_who_is_not_on_the_list_asks_for_the_name_all_the_same() -> None:
    [copy] = WaitingListsHandler(Replaying(stored(BOB_REGISTERED, held(BOOK, BOB)))).handle().view
    assert (copy.readers, copy.held_for) == ((), WaitingReader(BOB, "Bob"))


def test_names_of_very_many_are_not_asked_for_one_by_one() -> None:
    copies = project([reserved(book_id(number), book_id(number)) for number in range(MOST_NAMES_ASKED_FOR)])
    few, many = copies[: MOST_NAMES_ASKED_FOR // 2], copies
    assert [len(item.predicates) for item in boundary_of_names(*few).items] == [100, 100]
    [everything] = boundary_of_names(*many).items
    assert everything.predicates == ()
    assert set(everything.event_types) == {"BookCopyAddedToCirculation", "ReaderRegistered"}
