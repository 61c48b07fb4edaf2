"""A file of events gives back what was written, and is refused by the line that is wrong."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstore import FilterBuilder, InMemoryEventStore, SequencedEvent, StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.testing.contract.strategies import Log, events_of, logs
from library_app import event_file, event_import
from library_app.event_file import FileRefused, read_events, write_events
from library_app.event_import import OtherLog, check_file, import_events
from slices.testing import encoded
from tests.slices.lending.world import ADDED, ANN_REGISTERED, BOB_REGISTERED, LENT_TO_ANN

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()
FOUR = (ADDED, ANN_REGISTERED, BOB_REGISTERED, LENT_TO_ANN)

Lines = list[bytes]


def log_of(store: InMemoryEventStore) -> tuple[SequencedEvent, ...]:
    return store.query(EVERYTHING).events


def library() -> InMemoryEventStore:
    store = InMemoryEventStore()
    store.append(*map(encoded, FOUR))
    return store


def exported(store: InMemoryEventStore) -> bytes:
    file = io.BytesIO()
    write_events(file, store.stream(EVERYTHING), made_at=NOON, up_to=store.query(EVERYTHING).position, schema=3)
    return file.getvalue()


def imported(store: InMemoryEventStore, content: bytes) -> event_import.Imported:
    file = io.BytesIO(content)
    check_file(file, lambda _: None)
    return import_events(store, file, lambda _: None)


def read(content: bytes) -> list[SequencedEvent]:
    return list(read_events(io.BytesIO(content)))


def sealed(lines: Lines) -> bytes:
    """The lines with the end that makes them a file: as somebody would make it who means it."""
    body = b"".join(lines)
    end = b'{"Events":%d,"SHA256":"%s"}\n' % (len(lines) - 1, hashlib.sha256(body).hexdigest().encode())
    return body + end


@given(log=logs)
def test_any_log_comes_back_as_it_was(log: Log) -> None:
    store = InMemoryEventStore()
    store.append(*events_of(log))
    content = exported(store)
    assert read(content) == list(log_of(store))
    copy = InMemoryEventStore()
    import_events(copy, io.BytesIO(content), lambda _: None)
    assert (log_of(copy), exported(copy)) == (log_of(store), content)


@given(log=logs)
def test_a_file_of_any_log_that_ends_anywhere_else_is_refused(log: Log) -> None:
    store = InMemoryEventStore()
    store.append(*events_of(log))
    content = exported(store)
    for end in {0, 1, len(content) // 2, len(content) - 2, len(content) - 1, content.rindex(b"\n", 0, -1) + 1}:
        with pytest.raises(FileRefused, match=r"line \d+: the file (ends|is empty)"):
            read(content[:end])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(log=logs)
def test_postgresql_takes_any_event_of_a_file_for_the_one_that_was_exported(
    store: PostgresEventStore, log: Log
) -> None:
    numbers = store.append(*events_of(log))
    file = io.BytesIO()
    stored = store.query(EVERYTHING.after_sequence_number(numbers[0] - 1)).events
    write_events(file, stored, made_at=NOON, up_to=numbers[-1], schema=3)
    given_back = read(file.getvalue())
    assert given_back == list(stored)
    assert store.append(*map(event_import.storable, given_back)) == numbers  # nothing else has their ids


@given(log=logs, data=st.data())
def test_a_file_of_any_log_in_which_any_byte_was_changed_is_refused(log: Log, data: st.DataObject) -> None:
    store = InMemoryEventStore()
    store.append(*events_of(log))
    content = exported(store)
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    with pytest.raises(FileRefused):
        read(content[:place] + bytes([byte]) + content[place + 1 :])


@given(st.binary(), st.binary() | st.text('{"SequenceNumber":1,\\ud80[]}').map(str.encode))
def test_whatever_a_file_holds_is_refused_in_words(first: bytes, second: bytes) -> None:
    header = exported(InMemoryEventStore()).splitlines(keepends=True)[0]
    for content in (first, header + first, header + second + b"\n" + first):
        with pytest.raises(FileRefused):
            read(content)


def test_an_empty_log_makes_an_empty_file_of_events() -> None:
    store = InMemoryEventStore()
    assert read(exported(store)) == []
    assert imported(store, exported(store)) == event_import.Imported()


DAMAGES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an event is gone": (lambda lines: lines[:2] + lines[3:], "line 5: 4 events were written, but 3 lines are here"),
    "a name was changed": (
        lambda lines: [line.replace(b"Ann", b"Eve") for line in lines],
        "line 6: the checksum is not that of the lines before: at least one of lines 1 to 5 was changed",
    ),
    "two lines changed places": (
        lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]],
        "line 4: event 2 comes after event 3: the order of the lines was changed",
    ),
    "a line is there twice": (
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
        "line 4: event 2 stands in the line before already",
    ),
    "the file is there twice": (lambda lines: lines + lines, "line 7: something follows after line 6"),
    "the head is gone": (lambda lines: lines[1:], "line 1: this is not how a file of events begins"),
    "the end is gone": (lambda lines: lines[:-1], "line 5: the file ends here, without its count and checksum"),
    "a line was cut": (lambda lines: [*lines[:2], lines[2][:40] + b"\n", *lines[3:]], "line 3: this is no event: "),
    "a payload was damaged": (
        lambda lines: [*lines[:2], lines[2].replace(b'"Payload":{', b'"Payload":[{'), *lines[3:]],
        "line 3: this is no event: ",
    ),
    "a payload is no object": (
        lambda lines: [*lines[:2], lines[2].replace(b'"Metadata":{', b'"Metadata":1,"x":{'), *lines[3:]],
        "line 3: this is no event: ",
    ),
    "it is not UTF-8": (lambda lines: [line.replace(b"Ann", b"\xff") for line in lines], "line 3: this is no event: "),
    "a checksum without digits": (
        lambda lines: [*lines[:-1], b'{"Events":4}\n'],
        "line 6: this is no end of a file of events: ",
    ),
    "another format": (
        lambda lines: [lines[0].replace(b"dynamic event streams", b"csv"), *lines[1:]],
        'line 1: the format is "csv", and not "dynamic event streams"',
    ),
    "another version": (
        lambda lines: [lines[0].replace(b'"Version":1', b'"Version":2'), *lines[1:]],
        "line 1: the format has version 2, this release reads version 1",
    ),
    "an event from the future": (
        lambda lines: [lines[0].replace(b'"UpTo":4', b'"UpTo":3'), *lines[1:]],
        "line 5: event 4 cannot be in a log that line 1 says was read up to event 3",
    ),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_refused_by_its_line_and_nothing_is_written(
    damage: Callable[[Lines], Lines], reason: str
) -> None:
    content = b"".join(damage(exported(library()).splitlines(keepends=True)))
    store = InMemoryEventStore()
    with pytest.raises(FileRefused) as refused:
        imported(store, content)
    assert str(refused.value).startswith(reason)
    assert f"line {refused.value.line}:" in reason
    assert not log_of(store)


def test_a_line_that_does_not_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "LONGEST_LINE", 1000)
    with pytest.raises(FileRefused, match="line 2: it is longer than 1,000 bytes"):
        read(exported(library()).splitlines(keepends=True)[0] + b"x" * 5000)


ILL_MEANT: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "an unknown type": (
        lambda lines: [line.replace(b'"ReaderRegistered"', b'"Reader"') for line in lines],
        "line 3: event 2 is a Reader, which no context of ours knows",
    ),
    "a payload that its type does not have": (
        lambda lines: [line.replace(b'"Name"', b'"Names"') for line in lines],
        "line 3: event 2 (ReaderRegistered) cannot be read: ",
    ),
    "one id for two events": (
        lambda lines: [*lines[:3], lines[2].replace(b'"SequenceNumber":2', b'"SequenceNumber":3'), lines[4]],
        "line 4: the event id ",
    ),
}


@pytest.mark.parametrize(("change", "reason"), ILL_MEANT.values(), ids=ILL_MEANT.keys())
def test_a_whole_file_with_what_the_app_could_not_read_is_refused(
    change: Callable[[Lines], Lines], reason: str
) -> None:
    content = sealed(change(exported(library()).splitlines(keepends=True)[:-1]))
    store = InMemoryEventStore()
    with pytest.raises(FileRefused) as refused:
        imported(store, content)
    assert str(refused.value).startswith(reason)
    assert not log_of(store)


def test_gaps_close_and_every_event_that_got_another_number_is_counted() -> None:
    lines = exported(library()).splitlines(keepends=True)[:-1]
    for line, number in ((3, 7), (4, 9)):
        lines[line] = lines[line].replace(b'"SequenceNumber":%d' % line, b'"SequenceNumber":%d' % number)
    content = sealed([lines[0].replace(b'"UpTo":4', b'"UpTo":9'), *lines[1:]])
    store = InMemoryEventStore()
    done = imported(store, content)
    assert (done.written, done.present, done.renumbered, done.first_renumbered) == (4, 0, 2, (7, 3))
    assert [event.event_id for event in log_of(store)] == [event.event_id for event in read(content)]
    again = imported(store, content)
    assert (again.written, again.present, again.renumbered, again.first_renumbered) == (0, 4, 2, (7, 3))


@pytest.mark.parametrize("held", range(5))
def test_a_log_that_is_the_beginning_of_the_file_is_continued(held: int) -> None:
    whole, store = library(), InMemoryEventStore()
    content = exported(whole)
    for event in read(content)[:held]:
        store.append(event_import.storable(event))
    done = imported(store, content)
    assert (done.written, done.present, done.beyond) == (4 - held, held, 0)
    assert log_of(store) == log_of(whole)


def test_a_log_that_goes_on_after_the_file_keeps_what_it_has() -> None:
    store = library()
    content = exported(store)
    store.append(encoded(ADDED))
    done = imported(store, content)
    assert (done.written, done.present, done.beyond) == (0, 4, 1)


def test_json_that_is_spelled_in_another_way_is_the_same_event() -> None:
    lines = exported(library()).splitlines(keepends=True)[:-1]
    store = library_from(sealed(lines))
    spaced = [lines[0], *(line.replace(b'"Payload":{', b'"Payload":{  ') for line in lines[1:])]
    assert imported(store, sealed(spaced)).present == 4


def library_from(content: bytes) -> InMemoryEventStore:
    store = InMemoryEventStore()
    imported(store, content)
    return store


Fill = Callable[[list[SequencedEvent]], list[StorableEvent]]
OTHERS: dict[str, Fill] = {
    "another event": lambda _: [encoded(ADDED)],
    "another order": lambda events: [event_import.storable(event) for event in reversed(events)],
    "other content": lambda events: [replace(event_import.storable(events[0]), payload=b'{"BookID": "other"}')],
    "another time": lambda events: [replace(event_import.storable(events[0]), occurred_at=NOON + timedelta(1))],
}


@pytest.mark.parametrize("fill", OTHERS.values(), ids=OTHERS.keys())
def test_another_log_is_refused_and_nothing_is_written(fill: Fill) -> None:
    content, store = exported(library()), InMemoryEventStore()
    store.append(*fill(read(content)))
    before = log_of(store)
    with pytest.raises(OtherLog, match=r"where line 2 has BookCopyAddedToCirculation .* Nothing was written"):
        imported(store, content)
    assert log_of(store) == before


def test_batches_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_import, "BYTES_PER_BATCH", 1)
    told: list[int] = []
    file = io.BytesIO(exported(library()))
    import_events(InMemoryEventStore(), file, told.append)
    assert told == [1, 2, 3, 4]
