"""Bringing the events of a file into a store: into an empty one, or one that holds the beginning of the file already.

Everything is checked before anything is written. Then each batch is appended on the condition that nobody has appended
since: so the log is the beginning of the file at any moment, and whatever ended an import, the next one goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from eventstore import AppendCondition, EventStore, FilterBuilder, SequencedEvent, StorableEvent
from eventstore.json_values import equal, parse
from library_app.event_file import FIRST_EVENT_LINE, FileRefused, read_events
from library_app.seen_ids import SeenIds
from slices.codec import UnknownEventType, UnreadableEvent, decode

EVENTS_PER_BATCH: Final = 500
BYTES_PER_BATCH: Final = 4 << 20

_EVERYTHING: Final = FilterBuilder().matching_any_event()

Progress = Callable[[int], None]
"""Told the number of events dealt with so far."""


class OtherLog(Exception):
    """The store holds something else than the beginning of the file. Nothing was written."""


@dataclass(slots=True)
class Imported:
    """What became of the events of a file.

    Attributes:
        written: how many are new in the store.
        present: how many were in it before.
        beyond: how many the store has that come after all those of the file.
        renumbered: how many have another sequence number than in the file.
        first_renumbered: the first of them, by its number in the file and the one in the store.
    """

    written: int = 0
    present: int = 0
    beyond: int = 0
    renumbered: int = 0
    first_renumbered: tuple[int, int] | None = None

    def note(self, given: SequencedEvent, number: int) -> None:
        """Take down which number an event of the file has in the store."""
        if given.sequence_number != number:
            self.renumbered += 1
            self.first_renumbered = self.first_renumbered or (given.sequence_number, number)


def check_file(file: BinaryIO, progress: Progress) -> int:
    """Read a file to its end, and return how many events it has.

    Raises:
        FileRefused: it is not whole, or not in order; an id occurs twice; or an event is one that this application
            could not read from its log.
    """
    line = FIRST_EVENT_LINE - 1
    with SeenIds() as seen:
        for line, event in enumerate(read_events(file), start=FIRST_EVENT_LINE):
            before = seen.before(event.event_id, line)
            if before is not None:
                raise FileRefused(line, f"the event id {event.event_id} stands in line {before} already")
            try:
                decode(event)
            except (UnknownEventType, UnreadableEvent) as reason:
                raise FileRefused(line, str(reason)) from None
            progress(line)
    return line - FIRST_EVENT_LINE + 1


def import_events(store: EventStore, file: BinaryIO, progress: Progress) -> Imported:
    """Append what is missing of a file that `check_file` has read.

    The order is that of the file; the numbers are drawn anew by the store.

    Raises:
        OtherLog: the store holds something else than the beginning of the file.
        ConcurrencyConflict: somebody else appended meanwhile.
        FileRefused: the file was changed meanwhile.
        StoreUnavailable: see there. An import that is repeated goes on where this one has ended.
    """
    file.seek(0)
    done, head = Imported(), store.query(_EVERYTHING, limit=1).position
    events = read_events(file)
    _skip_present(store, head, events, done, progress)
    for batch in _batches(events):
        numbers = store.append(*map(storable, batch), condition=AppendCondition(_EVERYTHING, head))
        for event, number in zip(batch, numbers, strict=True):
            done.note(event, number)
        head = numbers[-1]
        done.written += len(batch)
        progress(done.present + done.written)
    return done


def _skip_present(
    store: EventStore, head: int, events: Iterator[SequencedEvent], done: Imported, progress: Progress
) -> None:
    """Walk file and log side by side to the end of the log."""
    for line, stored in enumerate(store.stream(_EVERYTHING.as_of(head)), start=FIRST_EVENT_LINE):
        given = next(events, None)
        if given is None:
            done.beyond += 1
        elif not _same(given, stored):
            raise OtherLog(
                f"the log holds other events than the file: where line {line} has {given.event_type}"
                f" {given.event_id}, the log has event {stored.sequence_number}, {stored.event_type}"
                f" {stored.event_id}{', with other content' if given.event_id == stored.event_id else ''}."
                " Nothing was written"
            )
        else:
            done.present += 1
            done.note(given, stored.sequence_number)
            progress(done.present)


def _same(given: SequencedEvent, stored: SequencedEvent) -> bool:
    """Whether they are one event, whatever its number; JSON may be spelled in another way than the store does."""
    return (given.event_id, given.event_type, given.occurred_at) == (
        stored.event_id,
        stored.event_type,
        stored.occurred_at,
    ) and all(
        one == other or equal(parse(one), parse(other))
        for one, other in ((given.payload, stored.payload), (given.metadata, stored.metadata))
    )


def _batches(events: Iterator[SequencedEvent]) -> Iterator[list[SequencedEvent]]:
    batch: list[SequencedEvent] = []
    size = 0
    for event in events:
        batch.append(event)
        size += len(event.payload) + len(event.metadata)
        if len(batch) == EVENTS_PER_BATCH or size >= BYTES_PER_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def storable(event: SequencedEvent) -> StorableEvent:
    """The event as a store takes it."""
    return StorableEvent(event.event_id, event.event_type, event.occurred_at, event.payload, event.metadata)
