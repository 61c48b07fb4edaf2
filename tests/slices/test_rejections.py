"""The stable names of rejections, and words that a reader understands."""

import inspect
from types import ModuleType

import pytest

from slices.decision import Rejection
from slices.enrollment import rejections as enrollment
from slices.lending import rejections as lending

NAMES = {
    lending: {
        "ReaderNotRegistered",
        "ReaderNeverRegistered",
        "ReaderAtQuota",
        "BookNotInCirculation",
        "BookNeverAdded",
        "BookAlreadyLent",
        "BookNotLentToReader",
        "BookCurrentlyLent",
        "ReaderHasOutstandingLoans",
        "EmailAlreadyClaimed",
        "BookIsAvailable",
        "BookLentToThisReader",
        "TooManyReservations",
        "BookHeldForAnother",
    },
    enrollment: {
        "CourseAlreadyDefined",
        "CourseNotDefined",
        "CourseFull",
        "StudentNotRegistered",
        "StudentAtCourseLimit",
        "CapacityBelowEnrollment",
        "StudentNotEnrolled",
    },
}


def reasons_of(context: ModuleType) -> list[type[Rejection]]:
    classes = [value for _, value in inspect.getmembers(context, inspect.isclass)]
    return [value for value in classes if issubclass(value, Rejection) and value is not Rejection]


@pytest.mark.parametrize("context", [lending, enrollment])
def test_names_are_pinned(context: ModuleType) -> None:
    assert {reason.name for reason in reasons_of(context)} == NAMES[context]


@pytest.mark.parametrize("reason", [*reasons_of(lending), *reasons_of(enrollment)])
def test_a_message_is_one_sentence(reason: type[Rejection]) -> None:
    assert reason.message[0].isupper()
    assert reason.message.endswith(".")
