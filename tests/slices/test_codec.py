"""What is in the log for good: stored names, payload keys, metadata. A change here needs a plan for old events."""

from datetime import UTC, datetime
from typing import cast

import msgspec
import pytest

from eventstore import FilterBuilder, InMemoryEventStore, SequencedEvent, StorableEvent, uuid7
from slices.codec import (
    EVENT_CLASSES,
    Metadata,
    UnknownEventType,
    UnreadableEvent,
    decode,
    decode_metadata,
    encode,
)
from slices.domain_event import DomainEvent
from slices.lending.events import BookCopyLentToReader
from slices.testing import stored
from tests.slices.enrollment.world import LATIN_DEFINED, capacity_changed, withdrawn
from tests.slices.lending.world import ADDED, ANN, ANN_REGISTERED, BOOK, LENT_TO_ANN

STORED = {
    "BookCopyAddedToCirculation": "BookID ISBN Title Authors Edition Publisher PublicationYear OccurredAt",
    "BookCopyRemovedFromCirculation": "BookID OccurredAt",
    "BookCopyLentToReader": "BookID ReaderID OccurredAt",
    "BookCopyReturnedByReader": "BookID ReaderID OccurredAt",
    "ReaderRegistered": "ReaderID Name OccurredAt",
    "ReaderContractCanceled": "ReaderID OccurredAt",
    "ReaderEmailClaimed": "ReaderID EmailHash OccurredAt",
    "ReaderEmailReleased": "ReaderID EmailHash OccurredAt",
    "BookReserved": "BookID ReaderID OccurredAt",
    "BookReservationCanceled": "BookID ReaderID OccurredAt",
    "BookHeldForReader": "BookID ReaderID HeldUntil OccurredAt",
    "BookHoldExpired": "BookID ReaderID OccurredAt",
    "LendingBookToReaderFailed": "BookID ReaderID FailureInfo OccurredAt",
    "ReturningBookFromReaderFailed": "BookID ReaderID FailureInfo OccurredAt",
    "RemovingBookFromCirculationFailed": "BookID FailureInfo OccurredAt",
    "CancelingReaderContractFailed": "ReaderID FailureInfo OccurredAt",
    "ReservingBookFailed": "BookID ReaderID FailureInfo OccurredAt",
    "ClaimingReaderEmailFailed": "ReaderID FailureInfo OccurredAt",
    "CourseDefined": "CourseID Title Capacity OccurredAt",
    "CourseCapacityChanged": "CourseID Capacity OccurredAt",
    "StudentRegistered": "StudentID Name OccurredAt",
    "StudentEnrolledToCourse": "StudentID CourseID OccurredAt",
    "StudentWithdrawnFromCourse": "StudentID CourseID OccurredAt",
    "EnrollingStudentFailed": "StudentID CourseID FailureInfo OccurredAt",
}
MOMENT = datetime(2025, 7, 1, 12, 0, 0, 123456, tzinfo=UTC)


def only_event(store: InMemoryEventStore) -> SequencedEvent:
    [event] = store.query(FilterBuilder().matching_any_event())
    return event


def test_stored_names_and_payload_keys_are_pinned() -> None:
    keys = {name: " ".join(event.__struct_encode_fields__) for name, event in EVENT_CLASSES.items()}
    assert keys == STORED


def test_an_event_is_stored_under_its_keys() -> None:
    event = only_event(stored(LENT_TO_ANN))
    assert event.event_type == "BookCopyLentToReader"
    assert msgspec.json.decode(event.payload) == {
        "BookID": BOOK,
        "ReaderID": ANN,
        "OccurredAt": "2025-07-01T12:00:00Z",
    }
    assert event.occurred_at == LENT_TO_ANN.occurred_at


@pytest.mark.parametrize("event", [ADDED, ANN_REGISTERED, LATIN_DEFINED, capacity_changed(3), withdrawn("s", "c")])
def test_an_event_comes_back_as_it_was(event: DomainEvent) -> None:
    assert decode(only_event(stored(event))) == event


def test_microseconds_survive() -> None:
    event = BookCopyLentToReader(BOOK, ANN, occurred_at=MOMENT)
    assert cast("BookCopyLentToReader", decode(only_event(stored(event)))).occurred_at == MOMENT


def test_metadata_says_where_an_event_comes_from() -> None:
    metadata = Metadata(uuid7(), uuid7(), uuid7())
    store = InMemoryEventStore()
    store.append(encode(LENT_TO_ANN, metadata))
    event = only_event(store)
    assert event.event_id == metadata.message_id
    assert msgspec.json.decode(event.metadata) == {
        "MessageID": str(metadata.message_id),
        "CausationID": str(metadata.causation_id),
        "CorrelationID": str(metadata.correlation_id),
    }
    assert decode_metadata(event) == metadata


def foreign(event_type: str, payload: bytes) -> SequencedEvent:
    store = InMemoryEventStore()
    store.append(StorableEvent.build(event_type, MOMENT, payload=payload))
    return only_event(store)


def test_an_event_of_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownEventType, match="event 1 is a BookBurned"):
        decode(foreign("BookBurned", b"{}"))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"ReaderID": "r", "OccurredAt": "2025-07-01T12:00:00Z"}',
        b'{"ReaderID": "r", "Name": 7, "OccurredAt": "2025-07-01T12:00:00Z"}',
        b'{"ReaderID": "r", "Name": "n", "OccurredAt": "2025-07-01T12:00:00"}',
    ],
)
def test_a_payload_that_does_not_fit_its_type_is_refused(payload: bytes) -> None:
    with pytest.raises(UnreadableEvent, match=r"event 1 \(ReaderRegistered\)"):
        decode(foreign("ReaderRegistered", payload))


def test_metadata_of_others_is_refused() -> None:
    with pytest.raises(UnreadableEvent):
        decode_metadata(foreign("ReaderRegistered", b"{}"))


def test_keys_that_were_added_later_do_not_disturb() -> None:
    payload = b'{"ReaderID": "r", "Name": "n", "Shelf": 3, "OccurredAt": "2025-07-01T12:00:00Z"}'
    assert decode(foreign("ReaderRegistered", payload))
