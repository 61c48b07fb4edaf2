"""Snapshot plus tail is the replay of all events: for any log, any filter, any moment of saving, and any savers."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from threading import Barrier

import pytest
from hypothesis import Phase, given, settings
from hypothesis import event as note
from hypothesis import strategies as st

from eventstore import (
    EventStore,
    Filter,
    FilterItem,
    InMemoryEventStore,
    InMemorySnapshotStore,
    P,
    Replayed,
    SequencedEvent,
    Snapshot,
    SnapshotKey,
    SnapshotStore,
    StorableEvent,
    replayed,
    uuid7,
)
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore
from eventstore.postgres.pool import Pool
from tests.eventstore.examples import EVERYTHING, having
from tests.eventstore.projections import chain, chained

START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
types = st.sampled_from(("A", "B", "C"))
logs = st.lists(st.tuples(types, moments, st.integers(0, 2)), min_size=1, max_size=8)
some_types = st.lists(types, min_size=1, max_size=2).map(tuple)
predicates = st.builds(P, st.sampled_from(("K", "L")), st.integers(0, 2))
some_predicates = st.lists(predicates, min_size=1, max_size=2).map(tuple)
items = (
    st.builds(FilterItem, some_types)
    | st.builds(FilterItem, st.just(()), some_predicates, st.booleans())
    | st.builds(FilterItem, some_types, some_predicates, st.booleans())
)
filters = st.builds(
    replace,
    st.just(EVERYTHING) | st.builds(Filter, items=st.lists(items, min_size=1, max_size=2).map(tuple)),
    occurred_from=st.none() | st.none() | moments,
    occurred_until=st.none() | st.none() | moments,
)
examples = settings(deadline=None, max_examples=120, database=None, phases=(Phase.generate, Phase.shrink))


def events_of(log: list[tuple[str, datetime, int]]) -> list[StorableEvent]:
    return [
        StorableEvent.build(kind, moment, payload=f'{{"K": {value}, "L": {2 - value}}}'.encode())
        for kind, moment, value in log
    ]


def folded(events: Iterable[SequencedEvent]) -> bytes:
    return reduce(chained, events, b"")


@pytest.fixture(scope="module")
def both(pool: Pool) -> list[tuple[EventStore, SnapshotStore]]:
    """An engine of each kind; the log goes on from example to example, and so do the snapshots."""
    table = f"replay_{uuid7().hex}"
    postgres = PostgresEventStore(pool, table)
    postgres.create_schema()
    return [(InMemoryEventStore(), InMemorySnapshotStore()), (postgres, PostgresSnapshotStore(pool, table))]


@examples
@given(
    pieces=st.lists(logs, min_size=1, max_size=3),
    filter=filters,
    save_after=st.integers(1, 4),
    same_name=st.booleans(),
)
def test_a_snapshot_and_what_came_later_are_all_events_for_any_log_any_filter_and_any_cut(
    both: list[tuple[EventStore, SnapshotStore]],
    pieces: list[list[tuple[str, datetime, int]]],
    filter: Filter,
    save_after: int,
    same_name: bool,
) -> None:
    projection = chain if same_name else replace(chain, name=uuid7().hex)
    for piece in pieces:
        batch = events_of(piece)
        for store, snapshots in both:
            store.append(*batch)
            whole = store.query(filter)
            found = replayed(store, snapshots, filter, projection, save_after=save_after)
            assert found.state == folded(whole)
            assert (found.position, found.failures) == (whole.position, ())
            assert found.append_condition == whole.append_condition
            assert found.saved == (found.folded >= save_after)
            note(f"resumed: {found.resumed_after > 0}, folded: {found.folded > 0}, saved: {found.saved}")


@examples
@given(log=logs, filter=filters, cuts=st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_savers_may_come_late_and_in_any_order(
    both: list[tuple[EventStore, SnapshotStore]],
    log: list[tuple[str, datetime, int]],
    filter: Filter,
    cuts: list[int],
) -> None:
    """Each saver has read up to a moment of its own; whoever read most is loaded, whenever it saved."""
    projection = replace(chain, name=uuid7().hex)
    key = SnapshotKey.of(projection.name, projection.version, filter)
    batch = events_of(log)
    for store, snapshots in both:
        first, *_ = store.append(*batch)
        saved = 0
        for cut in cuts:
            part = store.query(filter.as_of(first - 1 + cut)).events
            if part:
                last = part[-1]
                newer = snapshots.save(key, Snapshot(last.sequence_number, last.event_id, folded(part)))
                assert newer == (last.sequence_number > saved)
                saved = max(saved, last.sequence_number)
        found = replayed(store, snapshots, filter, projection)
        assert found.state == folded(store.query(filter))
        assert found.resumed_after == saved
        note(f"several: {len(cuts) > 1}, resumed: {saved > 0}, folded: {found.folded > 0}")


@pytest.mark.parametrize("filter", [EVERYTHING, having("K", 1)], ids=["everything", "a part"])
@pytest.mark.parametrize("kind", ["memory", "postgres"])
def test_every_read_is_right_while_others_append_and_save(
    request: pytest.FixtureRequest, kind: str, filter: Filter
) -> None:
    store, snapshots = a_pair(request, kind)
    writers, readers, rounds = 3, 4, 15
    start = Barrier(writers + readers)
    [first] = store.append(*events_of([("A", START, 1)]))

    def write(_: int) -> list[Replayed[bytes]]:
        start.wait()
        for number in range(rounds):
            store.append(*events_of([("A", START, number % 3), ("B", START, 1)]))
        return []

    def read(_: int) -> list[Replayed[bytes]]:
        start.wait()
        return [replayed(store, snapshots, filter, chain, save_after=1) for _ in range(rounds)]

    with ThreadPoolExecutor(writers + readers) as threads:
        running = [threads.submit(work, 0) for work in [write] * writers + [read] * readers]
        found = [one for future in running for one in future.result()]
    assert len(found) == readers * rounds
    for one in found:
        assert one.failures == ()
        assert one.position >= first
        assert one.state == folded(store.query(filter.as_of(one.position)))
    last = replayed(store, snapshots, filter, chain)
    assert last.state == folded(store.query(filter))
    assert last.resumed_after == max(one.resumed_after for one in [*found, last])


def a_pair(request: pytest.FixtureRequest, kind: str) -> tuple[EventStore, SnapshotStore]:
    """An empty engine of a kind, and its snapshots."""
    if kind == "memory":
        return InMemoryEventStore(), InMemorySnapshotStore()
    table = request.getfixturevalue("table")
    return request.getfixturevalue("store"), PostgresSnapshotStore(request.getfixturevalue("pool"), table)
