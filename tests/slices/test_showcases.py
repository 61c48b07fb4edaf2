"""The two showcases of slices/README.md happen as they are told there: every event, and in whose boundary it lies."""

from collections.abc import Mapping
from typing import Any

import msgspec

from eventstore import EventStore, InMemoryEventStore
from slices.enrollment.events import StudentRegistered
from slices.slice_map_text import README
from tests.slices.enrollment import races as school
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
)
from tests.slices.lending.commands import LEND_TO_ANN, LEND_TO_BOB
from tests.slices.lending.world import (
    ADDED,
    ANN,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    OTHER_BOOK,
    added,
    lent,
)
from tests.slices.races import EVERYTHING, Race, boundary_of, run

NAMES = {
    BOOK: "the copy",
    OTHER_BOOK: "another copy",
    ANN: "Ann",
    BOB: "Bob",
    LATIN: "Latin",
    EVE: "Eve",
    ADA: "Ada",
    some_id(1): "Max",
    school.GREEK: "Greek",
}

A_COPY_FOR_TWO = Race(
    (ADDED, ANN_REGISTERED, BOB_REGISTERED, added(OTHER_BOOK), lent(OTHER_BOOK, ANN)),
    LEND_TO_ANN,
    LEND_TO_BOB,
    (),
)
THE_LAST_SEAT = Race(
    (
        LATIN_DEFINED,
        EVE_REGISTERED,
        ADA_REGISTERED,
        StudentRegistered(some_id(1), "Max", occurred_at=NOON),
        school.GREEK_DEFINED,
        enrolled(ADA, school.GREEK),
        enrolled(some_id(1), LATIN),
    ),
    school.ENROLL_EVE,
    school.ENROLL_ADA,
    (),
)


def told(race: Race, store: EventStore, quicker: str, slower: str) -> str:
    """The log after the race, as a table."""
    head = "| # | Event | About | Lies in the boundary of |\n|--:|---|---|---|"
    boundaries = {quicker: boundary_of(race.quicker), slower: boundary_of(race.slower)}
    rows = []
    for event in store.query(EVERYTHING):
        payload: Mapping[str, Any] = msgspec.json.decode(event.payload)
        about = ", ".join(NAMES[value] for key, value in payload.items() if key.endswith("ID"))
        if "Capacity" in payload:
            about += f": {payload['Capacity']} seats"
        whose = ", ".join(name for name, boundary in boundaries.items() if boundary.matches(event))
        rows.append(f"| {event.sequence_number} | `{event.event_type}` | {about} | {whose or 'neither'} |")
    return "\n".join([head, *rows])


def test_two_readers_and_one_copy() -> None:
    store = InMemoryEventStore()
    report = run(A_COPY_FOR_TWO, store).report
    assert told(A_COPY_FOR_TWO, store, "Ann", "Bob") in README.read_text()
    assert [(attempt.read_up_to, attempt.events_read) for attempt in report.attempts] == [(5, 2), (6, 3)]
    assert [(conflict.sequence_number, conflict.after) for conflict in report.conflicts] == [(6, 5)]


def test_two_students_and_one_seat() -> None:
    store = InMemoryEventStore()
    report = run(THE_LAST_SEAT, store).report
    assert told(THE_LAST_SEAT, store, "Eve", "Ada") in README.read_text()
    assert [(attempt.read_up_to, attempt.events_read) for attempt in report.attempts] == [(7, 4), (8, 5)]
    assert [(conflict.sequence_number, conflict.after) for conflict in report.conflicts] == [(8, 7)]
