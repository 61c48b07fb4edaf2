"""The demo's six weeks obey the rules and leave something to do."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from eventstore import FilterBuilder, InMemoryEventStore, P
from library_app.demo import history
from library_app.demo.titles import TITLES
from library_app.keyed_hash import keyed_hash
from library_app.pages import shelf
from slices.codec import decode
from slices.command_loop import CommandLoop
from slices.decision import Append, Reject
from slices.enrollment.course_catalogue.query import CourseCatalogueHandler
from slices.enrollment.events import EnrollingStudentFailed, StudentEnrolledToCourse, StudentWithdrawnFromCourse
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.books_in_circulation.query import BooksInCirculationHandler
from slices.lending.remove_book_copy_from_circulation.command import RemoveBookCopyFromCirculation
from slices.questions import Replaying

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""The "now" of the seeded store."""

HASHED = partial(keyed_hash, "0123456789abcdef")


EACH_WEEKDAY = [NOON + timedelta(days=days) for days in range(7)]
"""What would fall on a Sunday happens on Monday, where it may meet what was planned for then."""


@pytest.mark.parametrize(
    "now", [*EACH_WEEKDAY, datetime(2026, 7, 6, 0, 3, tzinfo=UTC), datetime(2028, 2, 29, 23, 59, tzinfo=UTC)], ids=str
)
def test_every_step_comes_out_as_planned(now: datetime) -> None:
    loop = CommandLoop(InMemoryEventStore())
    for step in history.plan(now, HASHED):
        outcome = step.carry_out(loop)
        assert isinstance(outcome.decision, Append if step.expected == "written" else Reject), step.command
        assert outcome.events


def test_the_history_is_chronological_and_ends_shortly_before_now() -> None:
    moments = [step.command.occurred_at for step in history.plan(NOON, HASHED)]
    assert moments == sorted(moments)
    assert timedelta(days=41) < NOON - moments[0] <= timedelta(days=43)
    assert timedelta() < NOON - moments[-1] < timedelta(minutes=15)


def test_the_same_seed_gives_the_same_history() -> None:
    first, again = history.plan(NOON, HASHED), history.plan(NOON, HASHED)
    other = history.plan(NOON, HASHED, seed=1)
    assert [step.command for step in first] == [step.command for step in again]
    assert [step.command for step in first] != [step.command for step in other]


def test_it_is_a_library_in_use(seeded: InMemoryEventStore) -> None:
    view = Replaying(seeded).ask(shelf.BOUNDARY, shelf.project).view
    assert len(view.free) >= 30
    assert len(view.lent) >= 30
    assert len(view.copies) == 95
    assert len(view.readers) == 25
    assert {copy.isbn for copy in view.copies.values()} == {title.isbn for title in TITLES}


def test_it_holds_what_one_wants_to_see(seeded: InMemoryEventStore) -> None:
    events = seeded.query(FilterBuilder().matching_any_event()).events
    types = Counter(event.event_type for event in events)
    assert 600 <= len(events) <= 900
    assert types["LendingBookToReaderFailed"] >= 3
    assert types["ReturningBookFromReaderFailed"] >= 1
    assert types["EnrollingStudentFailed"] >= 2
    assert types["BookCopyRemovedFromCirculation"] == 2
    assert types["StudentWithdrawnFromCourse"] == 3
    assert types["CourseCapacityChanged"] == 1
    assert types["CourseDefined"] == 9
    assert types["StudentRegistered"] == 30
    for event in events:
        decode(event)


def test_the_catalogue_has_every_title_although_two_copies_are_worn_out(seeded: InMemoryEventStore) -> None:
    books = BooksInCirculationHandler(Replaying(seeded)).handle().view
    assert len(books) == 93
    assert {book.isbn for book in books} == {title.isbn for title in TITLES}


def test_a_title_keeps_a_copy_whatever_the_seed() -> None:
    for seed in range(60):
        isbns: dict[str, str] = {}
        for step in history.plan(NOON, HASHED, seed=seed):
            match step.command:
                case AddBookCopyToCirculation(book_id=book_id, isbn=isbn):
                    isbns[book_id] = isbn
                case RemoveBookCopyFromCirculation(book_id=book_id):
                    del isbns[book_id]
        assert len(set(isbns.values())) == len(TITLES)


def test_the_school_has_a_full_course_one_with_a_last_seat_and_one_in_a_larger_room(seeded: InMemoryEventStore) -> None:
    courses = {course.title: course for course in CourseCatalogueHandler(Replaying(seeded)).handle().view}
    assert courses["Bookbinding by Hand"].seats_left == 0
    assert courses["Event Sourcing from Scratch"].seats_left == 1
    assert (courses["Drawing What You Mean"].capacity, courses["Drawing What You Mean"].seats_left) == (12, 5)


def test_who_was_turned_away_from_a_full_course_gets_the_seat_that_is_given_back(seeded: InMemoryEventStore) -> None:
    courses = CourseCatalogueHandler(Replaying(seeded)).handle().view
    [bookbinding] = [course.course_id for course in courses if course.title == "Bookbinding by Hand"]
    of_course = FilterBuilder().matching().any_predicate_of(P("CourseID", bookbinding)).finalize()
    *_, first_refusal, second_refusal, withdrawal, enrollment = [decode(event) for event in seeded.query(of_course)]
    assert isinstance(first_refusal, EnrollingStudentFailed)
    assert isinstance(second_refusal, EnrollingStudentFailed)
    assert isinstance(withdrawal, StudentWithdrawnFromCourse)
    assert isinstance(enrollment, StudentEnrolledToCourse)
    assert enrollment.student_id == first_refusal.student_id
