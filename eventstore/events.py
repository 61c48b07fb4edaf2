"""Events before and after they are stored."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from eventstore import json_values
from eventstore.errors import InvalidEvent
from eventstore.identifiers import uuid7

LONGEST_EVENT_TYPE = 255
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class StorableEvent:
    """An event as the application hands it over: a type, a time and JSON that the store does not interpret.

    Make one with `build`, which checks everything; every engine relies on that.

    Attributes:
        event_id: made by the client. Appending the same event again is recognised by it (exactly once).
        event_type: the stable name under which filters find the event.
        occurred_at: when it happened in the application's world, in UTC.
        payload: a JSON object as UTF-8 bytes. Filters look into it.
        metadata: a JSON object as UTF-8 bytes. Filters never look into it.
    """

    event_id: UUID
    event_type: str
    occurred_at: datetime
    payload: bytes
    metadata: bytes

    @classmethod
    def build(
        cls,
        event_type: str,
        occurred_at: datetime,
        *,
        payload: bytes,
        metadata: bytes = b"{}",
        event_id: UUID | None = None,
    ) -> "StorableEvent":
        """Check and make an event.

        Args:
            event_type: 1 to 255 characters.
            occurred_at: an aware datetime, supplied by the application and never by the database.
            payload: a JSON object.
            metadata: a JSON object.
            event_id: a UUID; by default a new one of version 7.

        Raises:
            InvalidEvent: with the part and the reason.
        """
        if event_id is not None and not isinstance(event_id, UUID):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidEvent(f"the event id must be a UUID, not {event_id!r}")
        return cls(
            event_id=event_id or uuid7(),
            event_type=checked_event_type(event_type, InvalidEvent),
            occurred_at=_in_utc(occurred_at),
            payload=_json_object("payload", payload),
            metadata=_json_object("metadata", metadata),
        )


@dataclass(frozen=True, slots=True)
class SequencedEvent:
    """An event as the store returns it: with its place in the one order of all events of this store.

    `payload` and `metadata` are the stored JSON, not interpreted. PostgreSQL keeps JSON values, not their spelling:
    keys may come back in another order and `1E2` as `100`.
    """

    sequence_number: int
    event_id: UUID
    event_type: str
    occurred_at: datetime
    payload: bytes
    metadata: bytes


def checked_event_type(event_type: str, error: type[InvalidEvent] | type[ValueError]) -> str:
    """Return the type if it can be stored and searched for, else raise `error` with the reason."""
    if not isinstance(event_type, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise error(f"an event type must be a string, not {event_type!r}")
    if not 1 <= len(event_type) <= LONGEST_EVENT_TYPE:
        raise error(f"an event type has 1 to {LONGEST_EVENT_TYPE} characters, this one has {len(event_type)}")
    if _UNSTORABLE.search(event_type):
        raise error(f"the event type {event_type!a} contains a character that PostgreSQL cannot store")
    return json_values.plain(event_type)


def _in_utc(occurred_at: datetime) -> datetime:
    if not isinstance(occurred_at, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidEvent(f"occurred_at must be a datetime, not {occurred_at!r}")
    if occurred_at.utcoffset() is None:
        raise InvalidEvent(f"occurred_at must say its time zone; {occurred_at.isoformat()} does not")
    try:
        return occurred_at.astimezone(UTC)
    except OverflowError:
        raise InvalidEvent(f"occurred_at {occurred_at.isoformat()} is no time that UTC can express") from None


def _json_object(part: str, text: bytes) -> bytes:
    if not isinstance(text, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidEvent(f"the {part} must be UTF-8 bytes, not {type(text).__name__}")
    try:
        json_values.check_object(text)
    except json_values.NotJson as reason:
        raise InvalidEvent(f"the {part} cannot be stored: {reason}") from None
    return text
