"""Commands of the school that meet."""

from slices.enrollment.define_course.command import DefineCourse
from slices.enrollment.enroll_student.command import EnrollStudent
from slices.enrollment.events import CourseDefined, EnrollingStudentFailed
from slices.enrollment.limits import MOST_COURSES_PER_STUDENT
from slices.enrollment.register_student.command import RegisterStudent
from tests.slices.enrollment.world import (
    ADA,
    ADA_REGISTERED,
    EVE,
    EVE_REGISTERED,
    LATIN,
    LATIN_DEFINED,
    NOON,
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
}
