"""`verify` says everything that is wrong with a log, event by event, and nothing about a sound one."""

import json
from collections.abc import Iterable
from dataclasses import replace

import psycopg
from hypothesis import given

from eventstore import FilterBuilder, InMemoryEventStore, SequencedEvent, uuid7
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.verification import findings
from slices.audit import audit
from slices.domain_event import DomainEvent
from slices.testing import stored, write
from tests.library_app.command_line import assert_says, run
from tests.library_app.conftest import all_events
from tests.slices.lending.world import (
    ADDED,
    ANN_REGISTERED,
    BOB,
    BOB_REGISTERED,
    BOOK,
    LENT_TO_ANN,
    LENT_TO_BOB,
    RETURNED_BY_ANN,
    reserved,
)
from tests.slices.logs import any_log

LIBRARY = (ADDED, ANN_REGISTERED, LENT_TO_ANN)


def log_of(*events: DomainEvent) -> list[SequencedEvent]:
    return list(stored(*events).query(FilterBuilder().matching_any_event()))


def found(log: Iterable[SequencedEvent]) -> list[str]:
    return [f"event {finding.sequence_number}: {finding.text}" for finding in findings(log)]


def changed(event: SequencedEvent, old: bytes, new: bytes) -> SequencedEvent:
    assert old in event.payload
    return replace(event, payload=event.payload.replace(old, new))


def test_nothing_is_wrong_with_the_history_of_the_demo(seeded: InMemoryEventStore) -> None:
    looked_at: list[int] = []
    assert list(findings(all_events(seeded), looked_at.append)) == []
    assert looked_at == [event.sequence_number for event in all_events(seeded)]


@given(events=any_log)
def test_of_any_log_that_can_be_read_it_finds_what_the_audit_finds(events: list[DomainEvent]) -> None:
    log = log_of(*events)
    assert found(log) == [str(objection) for objection in audit(log)]


def test_what_is_wrong_is_found_where_it_is() -> None:
    added, registered, lent = log_of(*LIBRARY)
    [again] = log_of(ADDED)
    assert found([added, replace(registered, sequence_number=1), lent]) == ["event 1: it comes after event 1"]
    assert found([added, lent, registered])[-1] == "event 2: it comes after event 3"
    assert found([added, registered, lent, replace(lent, sequence_number=9)])[0] == (
        f"event 9: it has the id of event 3, {lent.event_id}"
    )
    foreign = replace(registered, event_type="ReaderBanned")
    assert found([foreign]) == ["event 2: no context knows the type ReaderBanned"]
    unreadable = changed(registered, b'"Name"', b'"Names"')
    assert found([unreadable]) == [
        "event 2: the payload of ReaderRegistered cannot be read: Object missing required field `Name`"
    ]
    assert found([replace(added, metadata=b"{}")])[0].startswith(
        "event 1: the metadata of BookCopyAddedToCirculation cannot be read: "
    )
    other = uuid7()
    assert found([replace(again, event_id=other)])[0].startswith(f"event 1: its id is {other}, but its metadata has")
    [late] = found([replace(added, occurred_at=added.occurred_at.replace(year=2031))])
    assert late.startswith("event 1: it occurred at 2031-")
    assert "but its payload has OccurredAt 20" in late


def test_an_id_in_a_spelling_of_its_own_is_found() -> None:
    [added] = log_of(ADDED)
    loud = changed(added, ADDED.book_id.encode(), ADDED.book_id.upper().encode())
    assert found([loud]) == [f"event 1: its BookID is {ADDED.book_id.upper()!r}, which is not how an id is spelled"]


def test_what_cannot_be_read_does_not_hide_what_comes_later() -> None:
    log = log_of(*LIBRARY, LENT_TO_BOB)
    log[0] = replace(log[0], event_type="BookBought")
    assert found(log) == [
        "event 1: no context knows the type BookBought",
        "event 3: BookCopyLentToReader, but the copy is not in circulation",
        "event 4: BookCopyLentToReader, but the reader is not registered",
        "event 4: BookCopyLentToReader, but the copy is not in circulation",
        "event 4: BookCopyLentToReader, but a reader has the copy",
    ]


def test_what_is_missing_at_the_end_is_found() -> None:
    log = log_of(*LIBRARY, BOB_REGISTERED, reserved(BOOK, BOB), RETURNED_BY_ANN)
    assert found(log) == [
        f"event 6: the log ends, but the copy should have been held for the next reader: {BOOK}",
    ]


def test_the_command_says_what_is_wrong_and_its_exit_code_tells(database: str) -> None:
    assert_says(run("verify", LIBRARY_DSN=database), "library-app init-db")
    assert run("init-db", LIBRARY_DSN=database).exit_code == 0
    assert run("verify", LIBRARY_DSN=database).output == "Reading the log\n0 events up to #0: nothing is wrong.\n"
    with open_pool(database) as pool:
        store = PostgresEventStore(pool)
        write(store, *LIBRARY)
        sound = run("verify", LIBRARY_DSN=database)
        assert (sound.exit_code, sound.stdout) == (0, "3 events up to #3: nothing is wrong.\n")
        write(store, LENT_TO_ANN, RETURNED_BY_ANN)
    with psycopg.connect(database) as connection:  # what no store would do
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_refuse_change")
        connection.execute("DROP INDEX events_event_id")
        connection.execute(
            "UPDATE events SET event_id = (SELECT event_id FROM events WHERE sequence_number = 1)"
            " WHERE sequence_number = 5"
        )
    broken = run("verify", LIBRARY_DSN=database)
    lines = broken.stdout.splitlines()
    assert broken.exit_code == 1
    assert lines[:2] == [
        "events table: the trigger events_refuse_change is missing or switched off: events can be changed and deleted",
        "events table: the unique index events_event_id is missing: an append that is repeated may be stored twice",
    ]
    assert lines[2] == "event 4: BookCopyLentToReader, but a reader has the copy"
    assert lines[3].startswith("event 5: it has the id of event 1, ")
    assert lines[-1] == "5 events up to #5: 5 things are wrong."
    as_json = run("verify", "--json", LIBRARY_DSN=database)
    table, _, first, *_, last = map(json.loads, as_json.stdout.splitlines())
    assert (table["SequenceNumber"], table["Finding"].split(" is ")[0]) == (None, "the trigger events_refuse_change")
    assert first == {"SequenceNumber": 4, "Finding": "BookCopyLentToReader, but a reader has the copy"}
    assert (as_json.exit_code, last) == (1, {"Events": 5, "UpTo": 5, "Findings": 5})
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE events CASCADE")
    assert_says(run("verify", LIBRARY_DSN=database), "library-app init-db")
