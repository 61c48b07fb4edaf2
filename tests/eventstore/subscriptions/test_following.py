"""Following a stream with our engines: what they do beyond the contract, in whatever windows they read."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventIdReused,
    EventStore,
    Filter,
    InvalidFilter,
    PositionUnknown,
    SequencedEvent,
    StorableEvent,
    memory,
)
from eventstore.postgres import reading
from eventstore.testing.contract.subscriptions import FILTERS, append_ten_hours
from tests.eventstore.examples import EVERYTHING, NOON, event, of_types
from tests.eventstore.faults import LONGEST_WAIT, in_background
from tests.eventstore.subscriptions.following import Follower, eventually


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of three positions, so that a short log has several."""
    monkeypatch.setattr(reading, "WINDOW", 3)
    monkeypatch.setattr(memory, "WINDOW", 3)


def test_a_subscription_to_an_empty_store_waits_for_the_first_event(engine: EventStore) -> None:
    with Follower(engine) as follower:
        follower.waits()
        assert follower.batches == []
        engine.append(event())
        follower.reached(1)


def test_a_subscription_at_the_head_delivers_only_what_is_new(engine: EventStore) -> None:
    engine.append(event(), event())
    with Follower(engine, after=2) as follower:
        follower.waits()
        engine.append(event())
        follower.reached(3)
    assert follower.numbers == [3]
    assert [batch.position for batch in follower.batches] == [3]


@pytest.mark.parametrize(("filter", "expected"), FILTERS)
def test_only_events_within_the_filter_come_however_many_windows_there_are(
    engine: EventStore, filter: Filter, expected: list[int], narrow: None
) -> None:
    append_ten_hours(engine)
    with Follower(engine, filter) as follower:
        assert follower.reached(10).numbers == expected


def test_a_batch_says_how_far_it_looked_even_if_nothing_matched(engine: EventStore) -> None:
    engine.append(event("Other"))
    with Follower(engine, of_types("Wanted")) as follower:
        follower.reached(1).waits()
        engine.append(event("Other"), event("Other"))
        follower.reached(3)
    assert [(len(batch), batch.position) for batch in follower.batches] == [(0, 1), (0, 3)]


def test_a_long_way_without_a_match_is_gone_in_steps_that_can_be_kept(engine: EventStore) -> None:
    others = 2 * reading.WINDOW
    engine.append(*(event("Other") for _ in range(others)))
    [wanted] = engine.append(event("Wanted"))
    with Follower(engine, of_types("Wanted")) as follower:
        follower.reached(wanted)
    assert [batch.position for batch in follower.batches] == [reading.WINDOW, others, wanted]
    assert follower.numbers == [wanted]


def test_positions_only_rise(engine: EventStore, narrow: None) -> None:
    with Follower(engine, of_types("Wanted")) as follower:
        for number in range(1, 31):
            engine.append(event("Wanted" if number % 7 == 0 else "Other"))
        follower.reached(30)
    positions = [batch.position for batch in follower.batches]
    assert positions == sorted(set(positions))
    assert follower.numbers == [7, 14, 21, 28]


@pytest.mark.parametrize("filter", [EVERYTHING.as_of(5), EVERYTHING.as_of(0), of_types("Lent").as_of(1)])
def test_a_subscription_has_no_upper_end(engine: EventStore, filter: Filter) -> None:
    with pytest.raises(InvalidFilter, match="ends at position"):
        engine.subscribe(filter)


@pytest.mark.parametrize("after", [-1, True, 1.5, "1", None, 2**63])
def test_what_is_no_position_is_refused(engine: EventStore, after: object) -> None:
    with pytest.raises(InvalidFilter, match="after must be a position"):
        engine.subscribe(EVERYTHING, after)  # type: ignore[arg-type]


def test_a_position_in_an_empty_store_is_refused(engine: EventStore) -> None:
    with engine.subscribe(EVERYTHING, 1) as subscription, pytest.raises(PositionUnknown):
        next(subscription)


def test_closing_ends_the_iteration_of_a_thread_that_waits(engine: EventStore) -> None:
    for _ in range(20):
        follower = Follower(engine).waits()
        follower.subscription.close()
        follower.ended()


def test_closing_ends_the_iteration_of_a_thread_that_is_about_to_wait(engine: EventStore) -> None:
    for _ in range(100):
        follower = Follower(engine)
        follower.subscription.close()
        follower.ended()


def test_a_closed_subscription_delivers_nothing_more(engine: EventStore, narrow: None) -> None:
    engine.append(*(event() for _ in range(9)))
    subscription = engine.subscribe(EVERYTHING)
    assert [found.sequence_number for found in next(subscription)] == [1, 2, 3]
    subscription.close()
    subscription.close()
    assert list(subscription) == []
    with pytest.raises(StopIteration):
        next(subscription)


def test_a_subscription_can_be_closed_within_its_own_loop(engine: EventStore, narrow: None) -> None:
    engine.append(*(event() for _ in range(9)))
    seen: list[int] = []
    with engine.subscribe(EVERYTHING) as subscription:
        for batch in subscription:
            seen.append(batch.position)
            if batch.position == 6:
                subscription.close()
    assert seen == [3, 6]


def test_threads_that_share_a_subscription_share_its_batches(engine: EventStore, narrow: None) -> None:
    seen: list[int] = []

    def share() -> None:
        for batch in subscription:
            seen.extend(numbers(batch))

    with engine.subscribe(EVERYTHING) as subscription:
        readers = [in_background(share) for _ in range(3)]
        for _ in range(60):
            engine.append(event())
        eventually(lambda: len(seen) >= 60, "all have come")
    for reader in readers:
        reader.result(LONGEST_WAIT)
    assert sorted(seen) == list(range(1, 61))


def numbers(events: Iterable[SequencedEvent]) -> list[int]:
    return [found.sequence_number for found in events]


def refused_conflict(engine: EventStore) -> None:
    with pytest.raises(ConcurrencyConflict):
        engine.append(event(), event(), condition=AppendCondition(EVERYTHING, 0))


def refused_id(engine: EventStore) -> None:
    known = engine.query(EVERYTHING).events[0].event_id
    with pytest.raises(EventIdReused):
        engine.append(event(), StorableEvent.build("Else", NOON, payload=b"{}", event_id=known))


@pytest.mark.parametrize("refused", [refused_conflict, refused_id])
def test_a_refused_append_is_no_event(engine: EventStore, refused: Callable[[EventStore], None]) -> None:
    engine.append(event())
    with Follower(engine) as follower:
        follower.reached(1).waits()
        refused(engine)
        [number] = engine.append(event())
        follower.reached(number)
    assert follower.numbers == [1, number]
    assert [batch.position for batch in follower.batches] == [1, number]


def test_none_is_lost_and_none_comes_twice_under_load(engine: EventStore) -> None:
    each, writers = 60, 4
    types = [f"Writer{number}" for number in range(writers)]

    def write(event_type: str) -> None:
        for number in range(each):
            engine.append(*(event(event_type) for _ in range(1 + number % 3)))

    with (
        Follower(engine) as all_from_the_beginning,
        Follower(engine, of_types(types[0])) as one_writer,
        ThreadPoolExecutor(writers + 1) as threads,
    ):
        resumed = threads.submit(resume_after_each_batch, engine, writers * each * 2)
        done = [threads.submit(write, event_type) for event_type in types]
        with Follower(engine, of_types(*types[1:])) as joined_later:
            for work in done:
                work.result(LONGEST_WAIT)
            head = engine.query(EVERYTHING).position
            for follower in (all_from_the_beginning, one_writer, joined_later):
                follower.reached(head)
        assert resumed.result(LONGEST_WAIT) == numbers(engine.query(EVERYTHING))
    assert len(all_from_the_beginning.events) == writers * each * 2
    for follower, filter in (
        (all_from_the_beginning, EVERYTHING),
        (one_writer, of_types(types[0])),
        (joined_later, of_types(*types[1:])),
    ):
        assert tuple(follower.events) == engine.query(filter).events


def resume_after_each_batch(engine: EventStore, expected: int) -> list[int]:
    """Keep nothing but the position, subscribe anew after every batch, and return the numbers that came."""
    seen: list[int] = []
    position = 0
    while len(seen) < expected:
        with engine.subscribe(EVERYTHING, position) as subscription:
            batch = next(subscription)
        seen += numbers(batch)
        position = batch.position
    return seen


def test_subscribers_come_and_go_while_others_write(engine: EventStore) -> None:
    stop = threading.Event()

    def write() -> int:
        while not stop.is_set():
            [number] = engine.append(event())
        return number

    writer = in_background(write)
    with Follower(engine) as steady:
        for _ in range(30):
            after = steady.position
            with Follower(engine, after=after) as passing:
                passing.reached(after + 1)
            assert passing.numbers == list(range(after + 1, passing.position + 1))
        stop.set()
        steady.reached(writer.result(LONGEST_WAIT))
    assert steady.numbers == list(range(1, steady.position + 1))
