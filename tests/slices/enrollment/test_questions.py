"""What the school answers."""

from datetime import timedelta

from slices.enrollment.course_catalogue.project import Relevant
from slices.enrollment.course_catalogue.project import project as course_catalogue
from slices.enrollment.course_catalogue.query import CourseCatalogueHandler
from slices.enrollment.course_roster.project import Seat
from slices.enrollment.course_roster.query import (
    MOST_NAMES_ASKED_FOR,
    CourseRosterHandler,
    boundary_of_names,
)
from slices.enrollment.events import CourseDefined
from slices.enrollment.registered_students.query import RegisteredStudentsHandler
from slices.enrollment.student_schedule.query import StudentScheduleHandler
from slices.questions import Replaying
from slices.testing import stored
from tests.slices.enrollment.world import (
    ADA,
    ADA_REGISTERED,
    EVE,
    EVE_REGISTERED,
    LATIN,
    LATIN_DEFINED,
    NOON,
    capacity_changed,
    enrolled,
    some_id,
    withdrawn,
)


def test_the_catalogue_tells_how_many_seats_are_left() -> None:
    history: list[Relevant] = [
        LATIN_DEFINED,
        enrolled(EVE, LATIN),
        enrolled(ADA, LATIN),
        withdrawn(EVE, LATIN),
        capacity_changed(7),
    ]
    [latin] = course_catalogue(history)
    assert (latin.title, latin.capacity, latin.seats_taken, latin.seats_left) == ("Latin", 7, 1, 6)


def test_seats_of_courses_that_were_never_defined_do_not_matter() -> None:
    assert course_catalogue([enrolled(EVE, LATIN), capacity_changed(3), withdrawn(EVE, LATIN)]) == ()


def test_the_catalogue_is_in_the_order_of_being_defined() -> None:
    earlier = CourseDefined(some_id(1), "Greek", 2, occurred_at=NOON - timedelta(days=1))
    answer = CourseCatalogueHandler(Replaying(stored(LATIN_DEFINED, earlier, EVE_REGISTERED))).handle()
    assert [course.title for course in answer.view] == ["Greek", "Latin"]
    assert answer.position == 3


def test_the_roster_names_who_takes_a_course() -> None:
    store = stored(
        LATIN_DEFINED,
        EVE_REGISTERED,
        ADA_REGISTERED,
        enrolled(EVE, LATIN, NOON + timedelta(hours=1)),
        enrolled(ADA, LATIN),
        enrolled(some_id(1), LATIN),
        withdrawn(some_id(1), LATIN),
        enrolled(EVE, some_id(9)),
        capacity_changed(3),
    )
    answer = CourseRosterHandler(Replaying(store)).handle(LATIN)
    assert answer.view is not None
    assert [seat.name for seat in answer.view.seats] == ["Ada", "Eve"]
    assert (answer.view.capacity, answer.view.seats_left, answer.position) == (3, 1, 9)


def test_an_empty_course_and_no_course_are_two_answers() -> None:
    handler = CourseRosterHandler(Replaying(stored(LATIN_DEFINED, enrolled(EVE, some_id(1)))))
    latin = handler.handle(LATIN).view
    assert latin is not None
    assert latin.seats == ()
    assert handler.handle(some_id(1)).view is None


def test_names_of_very_many_students_are_not_asked_for_one_by_one() -> None:
    seats = [Seat(some_id(number), NOON) for number in range(MOST_NAMES_ASKED_FOR + 1)]
    assert boundary_of_names(*seats).items[0].predicates == ()
    assert len(boundary_of_names(*seats[1:]).items[0].predicates) == MOST_NAMES_ASKED_FOR


def test_students_are_listed_in_the_order_of_registration() -> None:
    answer = RegisteredStudentsHandler(Replaying(stored(EVE_REGISTERED, LATIN_DEFINED, ADA_REGISTERED))).handle()
    assert [student.name for student in answer.view] == ["Eve", "Ada"]
    assert answer.position == 3


def test_the_schedule_of_a_student_has_titles_and_is_by_the_time_of_enrolling() -> None:
    store = stored(
        LATIN_DEFINED,
        CourseDefined(some_id(1), "Greek", 2, occurred_at=NOON),
        EVE_REGISTERED,
        ADA_REGISTERED,
        enrolled(EVE, LATIN, NOON + timedelta(hours=1)),
        enrolled(EVE, some_id(1)),
        enrolled(EVE, some_id(2)),
        withdrawn(EVE, some_id(2)),
        enrolled(ADA, some_id(3)),
        withdrawn(ADA, LATIN),
    )
    answer = StudentScheduleHandler(Replaying(store)).handle(EVE)
    assert answer.view is not None
    assert (answer.view.student_id, answer.view.name, answer.position) == (EVE, "Eve", 10)
    assert [(course.title, course.since) for course in answer.view.courses] == [
        ("Greek", NOON),
        ("Latin", NOON + timedelta(hours=1)),
    ]


def test_who_withdrew_and_came_back_sits_there_since_coming_back() -> None:
    back = (enrolled(EVE, LATIN), enrolled(EVE, some_id(1)), withdrawn(EVE, LATIN), enrolled(EVE, LATIN))
    schedule = StudentScheduleHandler(Replaying(stored(EVE_REGISTERED, *back))).handle(EVE).view
    assert schedule is not None
    assert [course.course_id for course in schedule.courses] == [some_id(1), LATIN]


def test_a_student_without_courses_and_nobody_are_two_answers() -> None:
    handler = StudentScheduleHandler(Replaying(stored(EVE_REGISTERED, enrolled(ADA, LATIN))))
    eve = handler.handle(EVE).view
    assert eve is not None
    assert eve.courses == ()
    assert handler.handle(ADA).view is None
