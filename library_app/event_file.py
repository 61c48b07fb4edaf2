"""A log as a file: JSON lines that any program can read, and that say whether all of them are there.

    {"Format": "dynamic event streams", "Version": 1, "MadeAt": "…", "UpTo": 412, "Schema": 3}
    {"SequenceNumber": 1, "EventID": "…", "EventType": "…", "OccurredAt": "…", "Payload": {…}, "Metadata": {…}}
    …
    {"Events": 411, "SHA256": "…"}                                   of all the bytes before this line

An event is spelled as in `/api/events`. Payload and metadata are the very text of the store, so that no digit is lost.
Pure but for the file: nothing here knows a store.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Annotated, BinaryIO, Final
from uuid import UUID

import msgspec

from eventstore import InvalidEvent, SequencedEvent, StorableEvent
from eventstore.filters import HIGHEST_POSITION
from slices.domain_event import json_key

FORMAT: Final = "dynamic event streams"
VERSION: Final = 1
FIRST_EVENT_LINE: Final = 2
LONGEST_LINE: Final = 1 << 29
"""Bytes. PostgreSQL keeps no payload or metadata of more than 256 MB."""

_TRAILER_BEGINS: Final = b'{"Events":'

Position = Annotated[int, msgspec.Meta(ge=0, le=HIGHEST_POSITION)]


class FileRefused(ValueError):
    """A file of events cannot be believed. The message begins with the number of the line.

    Attributes:
        line: counted from 1.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=json_key):
    format: str
    version: int
    made_at: Annotated[datetime, msgspec.Meta(tz=True)]
    up_to: Position
    schema: int


class _EventLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=json_key):
    sequence_number: Position
    event_id: UUID
    event_type: str
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    payload: msgspec.Raw
    metadata: msgspec.Raw


class _Trailer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    events: int = msgspec.field(name="Events")
    sha256: str = msgspec.field(name="SHA256")


_ENCODER: Final = msgspec.json.Encoder()
_HEADER: Final = msgspec.json.Decoder(_Header)
_EVENT: Final = msgspec.json.Decoder(_EventLine)
_TRAILER: Final = msgspec.json.Decoder(_Trailer)


def event_line(event: SequencedEvent) -> bytes:
    """An event as a line of JSON, with its end."""
    line = _EventLine(
        sequence_number=event.sequence_number,
        event_id=event.event_id,
        event_type=event.event_type,
        occurred_at=event.occurred_at,
        payload=msgspec.Raw(event.payload),
        metadata=msgspec.Raw(event.metadata),
    )
    return _ENCODER.encode(line) + b"\n"


def write_events(
    file: IO[bytes], events: Iterable[SequencedEvent], *, made_at: datetime, up_to: int, schema: int
) -> int:
    """Write a whole file, an event at a time, and return how many there were.

    Args:
        file: takes bytes.
        events: in the order of the log.
        made_at: an aware datetime.
        up_to: the position up to which the log was read.
        schema: the version of the schema that the events come from.
    """
    digest, count = hashlib.sha256(), 0

    def write(line: bytes) -> None:
        digest.update(line)
        file.write(line)

    write(_ENCODER.encode(_Header(format=FORMAT, version=VERSION, made_at=made_at, up_to=up_to, schema=schema)) + b"\n")
    for event in events:
        write(event_line(event))
        count += 1
    file.write(_ENCODER.encode(_Trailer(events=count, sha256=digest.hexdigest())) + b"\n")
    return count


def read_events(file: BinaryIO) -> Iterator[SequencedEvent]:
    """Read the events of a file, an event at a time, and check everything that the file itself can tell.

    The first event stands in line `FIRST_EVENT_LINE`. Only the end of the iteration says that the file is whole.

    Raises:
        FileRefused: by the first line that is wrong; at the last one, if the checksum is.
    """
    lines = _numbered(file)
    digest = hashlib.sha256()
    number, line = next(lines, (1, b""))
    header = _header(line)
    digest.update(line)
    last, count = 0, 0
    for number, line in lines:
        if line.startswith(_TRAILER_BEGINS):
            _check_trailer(number, line, count, digest.hexdigest())
            for after, _ in lines:
                raise FileRefused(after, f"something follows after line {number}, which is the end of a file of events")
            return
        event = _event(number, line)
        _check_order(number, event.sequence_number, last, header.up_to)
        digest.update(line)
        last, count = event.sequence_number, count + 1
        yield event
    raise FileRefused(number, "the file ends here, without its count and checksum: it was cut off")


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1):
        if len(line) >= LONGEST_LINE:
            raise FileRefused(number, f"it is longer than {LONGEST_LINE:,} bytes, as no event is")
        if not line.endswith(b"\n"):
            raise FileRefused(number, "the file ends in the middle of this line: it was cut off")
        yield number, line


def _header(line: bytes) -> _Header:
    if not line:
        raise FileRefused(1, "the file is empty")
    try:
        header = _HEADER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise FileRefused(1, f"this is not how a file of events begins ({reason})") from None
    if header.format != FORMAT:
        raise FileRefused(1, f'the format is "{header.format}", and not "{FORMAT}"')
    if header.version != VERSION:
        raise FileRefused(1, f"the format has version {header.version}, this release reads version {VERSION}")
    return header


def _event(number: int, line: bytes) -> SequencedEvent:
    try:
        given = _EVENT.decode(line)
        checked = StorableEvent.build(
            given.event_type,
            given.occurred_at,
            payload=bytes(given.payload),
            metadata=bytes(given.metadata),
            event_id=given.event_id,
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidEvent) as reason:
        raise FileRefused(number, f"this is no event: {reason}") from None
    return SequencedEvent(
        given.sequence_number,
        checked.event_id,
        checked.event_type,
        checked.occurred_at,
        checked.payload,
        checked.metadata,
    )


def _check_order(line: int, number: int, last: int, up_to: int) -> None:
    if number == last:
        raise FileRefused(line, f"event {number} stands in the line before already")
    if number < last:
        raise FileRefused(line, f"event {number} comes after event {last}: the order of the lines was changed")
    if number > up_to:
        raise FileRefused(line, f"event {number} cannot be in a log that line 1 says was read up to event {up_to}")


def _check_trailer(number: int, line: bytes, count: int, checksum: str) -> None:
    try:
        trailer = _TRAILER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as reason:
        raise FileRefused(number, f"this is no end of a file of events: {reason}") from None
    if trailer.events != count:
        raise FileRefused(number, f"{trailer.events} events were written, but {count} lines are here")
    if trailer.sha256 != checksum:
        raise FileRefused(
            number, f"the checksum is not that of the lines before: at least one of lines 1 to {number - 1} was changed"
        )
