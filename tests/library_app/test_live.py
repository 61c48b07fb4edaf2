"""The hub behind `/glass/stream`, on both engines: every reader gets every event once, and nothing is left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import cast

import psycopg
import pytest

from eventstore import Batch, EventStore, Filter, InMemoryEventStore, StorableEvent, Subscription
from eventstore.postgres import PostgresEventStore, open_pool
from library_app.glass import live
from library_app.glass.live import LiveEvents, LiveReader, events_after
from tests.eventstore.faults import wait_until
from tests.library_app.waiting import LONGEST_WAIT, done, ended

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

Open = Callable[..., LiveEvents]


@pytest.fixture
def hub(engine: EventStore) -> Iterator[Open]:
    """Opens hubs on the store, and closes them in the end."""
    opened: list[LiveEvents] = []

    def make(most_readers: int = 4, **settings: int) -> LiveEvents:
        opened.append(LiveEvents(engine, most_readers=most_readers, **settings))
        return opened[-1]

    yield make
    for one in opened:
        closed(one)
    assert not threads()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == live.THREAD_NAME]


def closed(live_events: LiveEvents) -> None:
    done(live_events.close, "the hub closes")


def append(store: EventStore, how_many: int = 1) -> list[int]:
    events = [StorableEvent.build("Happened", NOW, payload=b"{}") for _ in range(how_many)]
    return store.append(*events)


def joined(live_events: LiveEvents, after: int | None = None) -> LiveReader:
    reader = live_events.join(after)
    assert reader is not None
    return reader


def read(reader: LiveReader, up_to: int) -> list[int]:
    """The numbers of the events that a reader is given, until one of them is there."""
    numbers: list[int] = []
    deadline = time.monotonic() + LONGEST_WAIT
    while not numbers or numbers[-1] < up_to:
        events = reader.wait(max(0.0, deadline - time.monotonic()))
        assert events is not None, f"it ended after {numbers[-3:]}"
        assert time.monotonic() < deadline, f"event {up_to} never came, the last were {numbers[-3:]}"
        numbers.extend(event.sequence_number for event in events)
    return numbers


def test_all_readers_get_every_event_from_one_subscription(engine: EventStore, hub: Open) -> None:
    live_events = hub()
    readers = [joined(live_events) for _ in range(4)]
    assert len(threads()) == 1
    first, second = append(engine), append(engine, 3)
    for reader in readers:
        assert read(reader, second[-1]) == [*first, *second]


def test_a_reader_begins_with_the_newest_events_and_goes_on_without_a_gap(engine: EventStore, hub: Open) -> None:
    stored = append(engine, live.NEWEST_EVENTS + 5)
    reader = joined(hub())
    later = append(engine)
    assert read(reader, later[-1]) == [*stored[5:], *later]


def test_a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice(engine: EventStore, hub: Open) -> None:
    live_events = hub()
    stays, goes = joined(live_events), joined(live_events)
    seen = append(engine, 2)
    assert read(goes, seen[-1]) == seen
    goes.close()
    missed = append(engine, live.EVENTS_AT_A_TIME * 2)
    assert read(stays, missed[-1]) == [*seen, *missed]  # so the subscription is past them
    back = joined(live_events, goes.position)
    later = append(engine)
    assert read(back, later[-1]) == [*missed, *later]


def test_readers_that_join_while_others_write_get_everything_once(engine: EventStore, hub: Open) -> None:
    live_events = hub(most_readers=100)
    stays = joined(live_events)
    written: list[int] = []

    def write() -> None:
        for _ in range(60):
            written.extend(append(engine))

    writer = threading.Thread(target=write)
    writer.start()
    readers = [joined(live_events, 0) for _ in range(30)]
    writer.join()
    for reader in (stays, *readers):
        assert read(reader, written[-1]) == written


def test_there_are_no_more_readers_than_allowed_and_others_can_still_ask(engine: EventStore, hub: Open) -> None:
    live_events = hub(most_readers=2)
    first, _ = joined(live_events), joined(live_events)
    assert live_events.join(None) is None
    stored = append(engine, live.EVENTS_AT_A_TIME + 1)
    events, position = events_after(engine, 0)
    assert position == stored[-2]
    rest, position = events_after(engine, position)
    assert [event.sequence_number for event in (*events, *rest)] == stored
    assert events_after(engine, position) == ((), stored[-1])
    assert [event.sequence_number for event in events_after(engine, None)[0]] == stored[-live.NEWEST_EVENTS :]
    first.close()
    first.close()
    assert live_events.join(None) is not None
    assert live_events.join(None) is None


def test_none_may_join_where_none_are_allowed(hub: Open) -> None:
    assert hub(most_readers=0).join(None) is None


def test_a_slow_reader_is_dropped_keeps_nobody_up_and_resumes(engine: EventStore, hub: Open) -> None:
    live_events = hub(events_kept=5)
    slow, quick = joined(live_events), joined(live_events)
    numbers: list[int] = []
    for _ in range(9):
        numbers += append(engine)
        assert read(quick, numbers[-1]) == numbers[-1:]
    kept = slow.wait(LONGEST_WAIT)
    assert kept is not None
    assert [event.sequence_number for event in kept] == numbers[:5]
    assert slow.wait(LONGEST_WAIT) is None
    assert read(joined(live_events, slow.position), numbers[-1]) == numbers[5:]


def test_a_position_of_another_log_counts_as_the_head(engine: EventStore, hub: Open) -> None:
    append(engine, 3)
    reader = joined(hub(), 10**15)
    later = append(engine)
    assert read(reader, later[-1]) == later
    assert events_after(engine, 10**15) == ((), later[-1])


def test_the_subscription_ends_with_the_last_reader_and_begins_again_with_the_next(
    engine: EventStore, hub: Open
) -> None:
    live_events = hub()
    first, second = joined(live_events), joined(live_events)
    first.close()
    [thread] = threads()
    second.close()
    ended(thread, "the subscription, when nobody reads any more")
    missed = append(engine)
    assert read(joined(live_events, second.position), missed[-1]) == missed


def test_closing_ends_readers_that_wait_and_admits_nobody(hub: Open) -> None:
    live_events = hub()
    reader = joined(live_events)
    answers: list[object] = []
    waiting = threading.Thread(target=lambda: answers.append(reader.wait(3 * LONGEST_WAIT)), daemon=True)
    waiting.start()
    closed(live_events)
    ended(waiting, "the wait of a reader whose hub is closed")
    assert answers == [None]
    assert live_events.join(None) is None
    assert not threads()


def test_nothing_is_waited_for_when_nothing_may_be(hub: Open) -> None:
    assert joined(hub()).wait(0) == ()


class HearsLate(InMemoryEventStore):
    """A store whose subscriptions say nothing for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.speaks = threading.Event()

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        subscription, speaks = super().subscribe(filter, after), self.speaks

        class Late:
            close = subscription.close

            def __iter__(self) -> Iterator[Batch]:
                speaks.wait()
                return iter(subscription)

        return cast("Subscription", Late())


def test_a_reader_that_knows_more_than_the_subscription_gets_nothing_twice() -> None:
    store = HearsLate()
    live_events = LiveEvents(store, most_readers=2)
    joined(live_events)
    seen = append(store, 2)
    ahead = joined(live_events)
    store.speaks.set()
    later = append(store)
    assert read(ahead, seen[-1]) == seen
    assert read(ahead, later[-1]) == later
    closed(live_events)


class BeginsBeyondItsHead(InMemoryEventStore):
    """A store whose subscriptions fail at once, and for good."""

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        return super().subscribe(filter, after + 1)


def test_readers_end_when_the_subscription_fails_and_may_come_again(caplog: pytest.LogCaptureFixture) -> None:
    live_events = LiveEvents(BeginsBeyondItsHead(), most_readers=1)
    for _ in range(2):
        reader = joined(live_events)
        assert reader.wait(LONGEST_WAIT) is None
        reader.close()
    closed(live_events)
    assert caplog.text.count("live events end for now") == 2


def test_on_postgresql_no_connection_is_left(database: str) -> None:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(database, autocommit=True) as watch, open_pool(database, min_size=1, max_size=2) as pool:
        store = PostgresEventStore(pool)
        store.create_schema()
        live_events = LiveEvents(store, most_readers=8)
        readers = [joined(live_events) for _ in range(8)]
        numbers = append(store)
        for reader in readers:
            assert read(reader, numbers[-1]) == numbers
        row = watch.execute(listening).fetchone()
        assert row is not None
        assert row[0] <= 3, "eight readers: the pool of two, and one that listens"
        closed(live_events)
    wait_until(database, listening.replace("count(*)", "count(*) = 0"))
    assert not threads()
