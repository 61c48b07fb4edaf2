"""Whether a log is sound: everything that can be found out about it by reading it from its first event to its last."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from eventstore import SequencedEvent
from library_app.event_words import ID_KEYS
from library_app.seen_ids import SeenIds
from slices.audit import Auditor
from slices.codec import UnknownEventType, UnreadableEvent, decode, decode_metadata
from slices.domain_event import DomainEvent, json_key

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be.

    Attributes:
        sequence_number: of the event that is wrong, or of the last one if something is missing after it.
        text: what is wrong.
    """

    sequence_number: int
    text: str


def findings(log: Iterable[SequencedEvent], looked_at: Callable[[int], None] = lambda _: None) -> Iterator[Finding]:
    """Read a log from its first event on, and yield what is wrong with it.

    >>> list(findings(store.stream(FilterBuilder().matching_any_event())))
    []

    Looked for are: numbers that do not ascend, an id that occurs twice, types that no context knows, payloads and
    metadata that cannot be read, a time or an id that is told in two ways, ids in a spelling of their own, and
    whatever the rules of library and school forbid (`slices.audit`). It takes the memory of the copies, readers,
    courses and students that there are, and not of the events.

    Args:
        log: all events.
        looked_at: told the number of each event that was dealt with.

    Raises:
        sqlite3.Error: see `SeenIds`.
    """
    auditor, last = Auditor(), 0
    with SeenIds() as seen:
        for stored in log:
            number = stored.sequence_number
            for text in (*_order(stored, last, seen), *_content(stored, auditor)):
                yield Finding(number, text)
            last = number
            looked_at(number)
    for objection in auditor.at_the_end():
        yield Finding(objection.sequence_number, objection.text)


def _order(stored: SequencedEvent, last: int, seen: SeenIds) -> Iterator[str]:
    if stored.sequence_number <= last:
        yield f"it comes after event {last}"
    before = seen.before(stored.event_id, stored.sequence_number)
    if before is not None:
        yield f"it has the id of event {before}, {stored.event_id}"


def _content(stored: SequencedEvent, auditor: Auditor) -> Iterator[str]:
    try:
        metadata = decode_metadata(stored)
    except UnreadableEvent as error:
        yield f"the metadata of {stored.event_type} cannot be read: {error.reason}"
    else:
        if metadata.message_id != stored.event_id:
            yield f"its id is {stored.event_id}, but its metadata has MessageID {metadata.message_id}"
    try:
        event = decode(stored)
    except UnknownEventType:
        yield f"no context knows the type {stored.event_type}"
    except UnreadableEvent as error:
        yield f"the payload of {stored.event_type} cannot be read: {error.reason}"
    else:
        yield from _spelling(stored, event)
        yield from (objection.text for objection in auditor.objections(stored, event))


def _spelling(stored: SequencedEvent, event: DomainEvent) -> Iterator[str]:
    if event.occurred_at != stored.occurred_at:
        yield (
            f"it occurred at {stored.occurred_at.isoformat()}, but its payload has OccurredAt"
            f" {event.occurred_at.isoformat()}"
        )
    for name in event.__struct_fields__:
        key = json_key(name)
        if key in ID_KEYS and not _UUID.fullmatch(getattr(event, name)):
            yield f"its {key} is {getattr(event, name)!r}, which is not how an id is spelled"
