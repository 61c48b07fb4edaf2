"""How event types are shown: in words, and in the colour of their family."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "circulation": ("BookCopyAddedToCirculation", "BookCopyRemovedFromCirculation"),
    "lending": (
        "BookCopyLentToReader",
        "BookCopyReturnedByReader",
        "BookReserved",
        "BookReservationCanceled",
        "BookHeldForReader",
        "BookHoldExpired",
    ),
    "reader": ("ReaderRegistered", "ReaderContractCanceled", "ReaderEmailClaimed", "ReaderEmailReleased"),
    "course": ("CourseDefined", "CourseCapacityChanged"),
    "enrolment": ("StudentRegistered", "StudentEnrolledToCourse", "StudentWithdrawnFromCourse"),
    "failure": (
        "LendingBookToReaderFailed",
        "ReturningBookFromReaderFailed",
        "RemovingBookFromCirculationFailed",
        "CancelingReaderContractFailed",
        "ReservingBookFailed",
        "ClaimingReaderEmailFailed",
        "EnrollingStudentFailed",
    ),
}

FAMILY_OF: Final[Mapping[str, str]] = MappingProxyType(
    {event_type: family for family, types in _FAMILIES.items() for event_type in types}
)
"""The family of every event type that the app knows."""

ID_KEYS: Final[tuple[str, ...]] = ("BookID", "ReaderID", "StudentID", "CourseID")
"""The payload keys that tie events into dynamic streams."""


def event_family(event_type: str) -> str:
    """The family of an event type, "other" for a type that the app does not know."""
    return FAMILY_OF.get(event_type, "other")


def event_words(event_type: str) -> str:
    """An event type as a sentence would say it.

    >>> event_words("BookCopyLentToReader")
    'Book copy lent to reader'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", event_type).capitalize()
