"""Commands of the school that meet."""

from slices.enrollment.change_course_capacity.command import ChangeCourseCapacity
from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.events import CourseDefined, EnrollingStudentFailed
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.enrollment.register_student.command import RegisterStudent
from slices.enrollment.withdraw_student.command import WithdrawStudent
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
from tests.slices.races import Race

GREEK = some_id(99)
GREEK_DEFINED = CourseDefined(GREEK, "Greek", 20, occurred_at=NOON)

DEFINE_LATIN = DefineCourse(LATIN, "Latin", 2, NOON)
REGISTER_EVE = RegisterStudent(EVE, "Eve", NOON)
ENROLL_EVE = EnrollStudent(EVE, LATIN, NOON)
ENROLL_ADA = EnrollStudent(ADA, LATIN, NOON)
ENROLL_ADA_IN_GREEK = EnrollStudent(ADA, GREEK, NOON)
LESS_LATIN, MORE_LATIN = ChangeCourseCapacity(LATIN, 1, NOON), ChangeCourseCapacity(LATIN, 3, NOON)
EVE_WITHDRAWS = WithdrawStudent(EVE, LATIN, NOON)
BOTH_REGISTERED = (LATIN_DEFINED, GREEK_DEFINED, EVE_REGISTERED, ADA_REGISTERED)
NINE_COURSES_OF_ADA = [enrolled(ADA, some_id(number)) for number in range(MOST_COURSES_PER_STUDENT - 1)]


def enrolling_failed(student: str, reason: str) -> EnrollingStudentFailed:
    return EnrollingStudentFailed(student, LATIN, reason, occurred_at=NOON)


RACES = {
    "two define one course": Race((), DEFINE_LATIN, DefineCourse(LATIN, "Latin", 3, NOON), (LATIN_DEFINED,)),
    "a student is registered twice at once": Race((), REGISTER_EVE, REGISTER_EVE, (EVE_REGISTERED,)),
    "the last seat": Race(
        (*BOTH_REGISTERED, enrolled(some_id(1), LATIN)),
        ENROLL_EVE,
        ENROLL_ADA,
        (enrolled(EVE, LATIN), enrolling_failed(ADA, "CourseFull")),
    ),
    "a student is enrolled twice at once": Race(BOTH_REGISTERED, ENROLL_ADA, ENROLL_ADA, (enrolled(ADA, LATIN),)),
    "tenth and eleventh course": Race(
        (*BOTH_REGISTERED, *NINE_COURSES_OF_ADA),
        ENROLL_ADA_IN_GREEK,
        ENROLL_ADA,
        (enrolled(ADA, GREEK), enrolling_failed(ADA, "StudentAtCourseLimit")),
    ),
    "ninth and tenth course, in a seat that was given back": Race(
        (
            *BOTH_REGISTERED,
            *NINE_COURSES_OF_ADA,
            withdrawn(ADA, some_id(0)),
            enrolled(EVE, LATIN),
            enrolled(some_id(1), LATIN),
            withdrawn(EVE, LATIN),
        ),
        ENROLL_ADA_IN_GREEK,
        ENROLL_ADA,
        (enrolled(ADA, GREEK), enrolled(ADA, LATIN)),
    ),
    "other students in other courses": Race(
        BOTH_REGISTERED, ENROLL_ADA_IN_GREEK, ENROLL_EVE, (enrolled(ADA, GREEK), enrolled(EVE, LATIN)), disturbed=False
    ),
    "a course becomes smaller while a student enrolls": Race(
        (*BOTH_REGISTERED, enrolled(EVE, LATIN)),
        LESS_LATIN,
        ENROLL_ADA,
        (capacity_changed(1), enrolling_failed(ADA, "CourseFull")),
    ),
    "a student enrolls while the course becomes smaller": Race(
        (*BOTH_REGISTERED, enrolled(EVE, LATIN)), ENROLL_ADA, LESS_LATIN, (enrolled(ADA, LATIN),)
    ),
    "a capacity is changed twice at once": Race(BOTH_REGISTERED, MORE_LATIN, MORE_LATIN, (capacity_changed(3),)),
    "a course from which a student withdrew becomes smaller": Race(
        (*BOTH_REGISTERED, enrolled(EVE, LATIN), enrolled(ADA, LATIN), withdrawn(ADA, LATIN)),
        ENROLL_ADA_IN_GREEK,
        LESS_LATIN,
        (enrolled(ADA, GREEK), capacity_changed(1)),
        disturbed=False,
    ),
    "a seat is given back twice at once": Race(
        (*BOTH_REGISTERED, enrolled(EVE, LATIN)), EVE_WITHDRAWS, EVE_WITHDRAWS, (withdrawn(EVE, LATIN),)
    ),
    "a student withdraws whom others and other courses went before": Race(
        (
            *BOTH_REGISTERED,
            *(enrolled(student, LATIN) for student in (EVE, ADA)),
            enrolled(EVE, GREEK),
            withdrawn(EVE, GREEK),
            withdrawn(ADA, LATIN),
        ),
        ENROLL_ADA_IN_GREEK,
        EVE_WITHDRAWS,
        (enrolled(ADA, GREEK), withdrawn(EVE, LATIN)),
        disturbed=False,
    ),
}
