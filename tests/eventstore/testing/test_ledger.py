"""The comparison of ledger and log finds every kind of broken promise, and nothing in a log that keeps them all."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from eventstore import EventStream, SequencedEvent, StorableEvent
from eventstore.testing.ledger import Entry, Promise, violations
from eventstore.testing.oracle import Claim

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Log = list[SequencedEvent]


def claim(prize: str, *, read_up_to: int | None = None) -> StorableEvent:
    """An event whose writer had read so far and seen nothing; by default one without a guard."""
    decision = Claim(prize, f"team of {prize}")
    seen = None if read_up_to is None else EventStream(decision.boundary, (), read_up_to)
    return decision.event(1, seen, NOW)


def stored(number: int, event: StorableEvent) -> SequencedEvent:
    content = event.event_id, event.event_type, event.occurred_at, event.payload, event.metadata
    return SequencedEvent(number, *content)


def true_history() -> tuple[list[Entry], Log]:
    """An acknowledged event, an acknowledged batch, a refused event, and two of unknown outcome: one was stored."""
    single, batch = Entry(1, (claim("a", read_up_to=0),)), Entry(2, (claim("b"), claim("c"), claim("d")))
    refused, missing, present = Entry(3, (claim("e"),)), Entry(4, (claim("f"), claim("g"))), Entry(5, (claim("h"),))
    single.acknowledge([1])
    batch.acknowledge([2, 3, 4])
    refused.refuse()
    sent = [*single.events, *batch.events, *present.events]
    log = [stored(number, event) for number, event in zip((1, 2, 3, 4, 9), sent, strict=True)]
    return [single, batch, refused, missing, present], log


def test_a_log_that_keeps_every_promise_is_clean() -> None:
    assert violations(*true_history()) == []


def lose_an_acknowledged_event(entries: list[Entry], log: Log) -> None:
    del log[0]


def store_an_event_under_another_number(entries: list[Entry], log: Log) -> None:
    log[3] = dataclasses.replace(log[3], sequence_number=5)


def store_an_event_twice(entries: list[Entry], log: Log) -> None:
    log.append(dataclasses.replace(log[0], sequence_number=10))


def store_half_of_an_acknowledged_batch(entries: list[Entry], log: Log) -> None:
    del log[2]


def store_half_of_a_batch_of_unknown_outcome(entries: list[Entry], log: Log) -> None:
    log.append(stored(10, entries[3].events[0]))


def store_a_batch_backwards(entries: list[Entry], log: Log) -> None:
    numbers = [one.sequence_number for one in log]
    log[1:4] = log[3:0:-1]
    log[:] = [dataclasses.replace(one, sequence_number=number) for one, number in zip(log, numbers, strict=True)]
    entries[1].acknowledge([4, 3, 2])


def return_the_log_out_of_order(entries: list[Entry], log: Log) -> None:
    log[0], log[4] = log[4], log[0]


def give_one_number_to_two_events(entries: list[Entry], log: Log) -> None:
    log[4] = dataclasses.replace(log[4], sequence_number=4)


def change_a_payload(entries: list[Entry], log: Log) -> None:
    log[0] = dataclasses.replace(log[0], payload=log[1].payload)


def change_metadata(entries: list[Entry], log: Log) -> None:
    log[0] = dataclasses.replace(log[0], metadata=b'{"By": "somebody"}')


def change_a_type(entries: list[Entry], log: Log) -> None:
    log[4] = dataclasses.replace(log[4], event_type="Forged")


def change_a_time(entries: list[Entry], log: Log) -> None:
    log[4] = dataclasses.replace(log[4], occurred_at=NOW + timedelta(microseconds=1))


def store_what_was_refused(entries: list[Entry], log: Log) -> None:
    log.append(stored(10, entries[2].events[0]))


def store_what_nobody_sent(entries: list[Entry], log: Log) -> None:
    log.append(stored(10, claim("z")))


def acknowledge_with_too_few_numbers(entries: list[Entry], log: Log) -> None:
    entries[1].acknowledge([2, 3])


def acknowledge_without_numbers(entries: list[Entry], log: Log) -> None:
    entries[0].acknowledge([])


def accept_an_event_past_its_guard(entries: list[Entry], log: Log) -> None:
    late = Entry(6, (claim("c", read_up_to=2),))
    late.acknowledge([10])
    entries.append(late)
    log.append(stored(10, late.events[0]))


@pytest.mark.parametrize(
    ("forge", "promises"),
    [
        (lose_an_acknowledged_event, {Promise.DURABLE}),
        (store_an_event_under_another_number, {Promise.NUMBERED}),
        (store_an_event_twice, {Promise.ONCE}),
        (store_half_of_an_acknowledged_batch, {Promise.DURABLE, Promise.WHOLE}),
        (store_half_of_a_batch_of_unknown_outcome, {Promise.WHOLE}),
        (store_a_batch_backwards, {Promise.IN_ORDER}),
        (return_the_log_out_of_order, {Promise.IN_ORDER}),
        (give_one_number_to_two_events, {Promise.IN_ORDER}),
        (change_a_payload, {Promise.UNCHANGED}),
        (change_metadata, {Promise.UNCHANGED}),
        (change_a_type, {Promise.UNCHANGED}),
        (change_a_time, {Promise.UNCHANGED}),
        (store_what_was_refused, {Promise.REFUSED}),
        (store_what_nobody_sent, {Promise.SENT}),
        (acknowledge_with_too_few_numbers, {Promise.ANSWERED}),
        (acknowledge_without_numbers, {Promise.ANSWERED}),
        (accept_an_event_past_its_guard, {Promise.GUARDED}),
    ],
)
def test_a_forged_log_is_found_out(forge: Callable[[list[Entry], Log], None], promises: set[Promise]) -> None:
    entries, log = true_history()
    forge(entries, log)
    found = violations(entries, log)
    assert {violation.promise for violation in found} == promises, "\n".join(map(str, found))
