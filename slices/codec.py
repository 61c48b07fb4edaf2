"""Between domain events and what the store keeps: the only module that knows the events of every context."""

from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec

from eventstore import SequencedEvent, StorableEvent
from slices.domain_event import DomainEvent, json_key
from slices.enrollment.events import EVENTS as ENROLLMENT_EVENTS
from slices.lending.events import EVENTS as LENDING_EVENTS


class UnknownEventType(LookupError):
    """The store holds an event of a type that no context of this application has."""

    def __init__(self, event: SequencedEvent) -> None:
        super().__init__(f"event {event.sequence_number} is a {event.event_type}, which no context of ours knows")
        self.event = event


class UnreadableEvent(ValueError):
    """The payload of a stored event is not what its type says, or its metadata not what `encode` writes."""

    def __init__(self, event: SequencedEvent, reason: str) -> None:
        super().__init__(f"event {event.sequence_number} ({event.event_type}) cannot be read: {reason}")
        self.event = event
        self.reason = reason


class Metadata(msgspec.Struct, frozen=True, rename=json_key):
    """Where an event comes from. Filters never look at it.

    Attributes:
        message_id: the event itself.
        causation_id: what led to it: the command that was carried out.
        correlation_id: what belongs together: everything that one request set in motion.
    """

    message_id: UUID
    causation_id: UUID
    correlation_id: UUID


EVENT_CLASSES: Final = MappingProxyType({event.TYPE: event for event in (*LENDING_EVENTS, *ENROLLMENT_EVENTS)})
"""Every event class by its stored name."""

_DECODERS: Final = {name: msgspec.json.Decoder(event_class) for name, event_class in EVENT_CLASSES.items()}
_METADATA_DECODER: Final = msgspec.json.Decoder(Metadata)


def encode(event: DomainEvent, metadata: Metadata) -> StorableEvent:
    """Make an event storable. Its id is the metadata's message id."""
    return StorableEvent.build(
        event.TYPE,
        event.occurred_at,
        payload=msgspec.json.encode(event),
        metadata=msgspec.json.encode(metadata),
        event_id=metadata.message_id,
    )


def decode(event: SequencedEvent) -> DomainEvent:
    """Read a stored event. Keys that the class does not have are skipped, so that payloads may grow.

    Raises:
        UnknownEventType, UnreadableEvent: see there.
    """
    decoder = _DECODERS.get(event.event_type)
    if decoder is None:
        raise UnknownEventType(event)
    try:
        return decoder.decode(event.payload)
    except msgspec.DecodeError as reason:
        raise UnreadableEvent(event, str(reason)) from None


def decode_metadata(event: SequencedEvent) -> Metadata:
    """Read where a stored event comes from.

    Raises:
        UnreadableEvent: if the metadata was not written by `encode`.
    """
    try:
        return _METADATA_DECODER.decode(event.metadata)
    except msgspec.DecodeError as reason:
        raise UnreadableEvent(event, str(reason)) from None
