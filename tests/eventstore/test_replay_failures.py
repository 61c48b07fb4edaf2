"""Whatever happens to snapshots, a read is right: they fail, are damaged, or belong to a history that was lost."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from eventstore import (
    EventStore,
    Filter,
    InMemoryEventStore,
    InMemorySnapshotStore,
    InvalidSnapshot,
    Snapshot,
    StorableEvent,
    StoreUnavailable,
    replayed,
)
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore
from eventstore.postgres.pool import Pool
from eventstore.replay import continues
from tests.eventstore.examples import EVERYTHING, event, of_types
from tests.eventstore.projections import KEY, Down, Failing, fill, types_seen
from tests.wrapped_store import WrappedStore


@pytest.fixture
def snapshots() -> InMemorySnapshotStore:
    return InMemorySnapshotStore()


@pytest.mark.parametrize("step", ["load", "save"])
def test_a_store_of_snapshots_that_is_down_never_fails_a_read(engine: EventStore, step: str) -> None:
    down = Failing(steps=frozenset({step}))
    fill(engine, "A", "B")
    for _ in range(2):
        found = replayed(engine, down, EVERYTHING, types_seen, save_after=1)
        assert (found.state, found.position, found.resumed_after) == (["A", "B"], 2, 0)
        assert [str(failure) for failure in found.failures] == [step]
        assert isinstance(found.failures[0], Down)


def test_snapshots_in_a_database_without_their_table_never_fail_a_read(
    pool: Pool, store: PostgresEventStore, table: str
) -> None:
    with pool.connection() as connection:
        connection.execute(f'DROP TABLE "{table}_snapshots"'.encode())
    fill(store, "A")
    found = replayed(store, PostgresSnapshotStore(pool, table), EVERYTHING, types_seen, save_after=1)
    assert (found.state, found.saved) == (["A"], False)
    assert [type(failure).__name__ for failure in found.failures] == ["SchemaMissing", "SchemaMissing"]


def raising(*_: object) -> Any:
    raise Down("code")


def test_a_state_that_cannot_be_encoded_is_not_saved(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    fill(engine, "A")
    refused: list[Callable[..., Any]] = [
        raising,
        lambda _: "text",
        lambda _: None,
        lambda _: bytes(64 * 1024 * 1024 + 1),
    ]
    for encode in refused:
        found = replayed(engine, snapshots, EVERYTHING, replace(types_seen, encode=encode), save_after=1)
        assert (found.state, found.saved, len(found.failures)) == (["A"], False, 1)
        assert isinstance(found.failures[0], Down | InvalidSnapshot)
    assert snapshots.load(KEY) is None


def test_a_state_that_cannot_be_decoded_is_replaced(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    fill(engine, "A")
    replayed(engine, snapshots, EVERYTHING, replace(types_seen, encode=lambda _: b"\xff"), save_after=1)
    found = replayed(engine, snapshots, EVERYTHING, types_seen, save_after=1)
    assert (found.state, found.resumed_after, found.saved) == (["A"], 0, True)
    assert [type(failure) for failure in found.failures] == [UnicodeDecodeError]
    assert replayed(engine, snapshots, EVERYTHING, types_seen).resumed_after == 1


def test_a_state_that_cannot_be_continued_is_replaced(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    """As if the form of the state had changed, and nobody had raised the version of the projection."""

    def former_state(_: bytes) -> Any:
        return None

    fill(engine, "A")
    replayed(engine, snapshots, EVERYTHING, types_seen, save_after=1)
    fill(engine, "B")
    found = replayed(engine, snapshots, EVERYTHING, replace(types_seen, decode=former_state), save_after=1)
    assert (found.state, found.resumed_after, found.saved) == (["A", "B"], 0, True)
    assert [type(failure) for failure in found.failures] == [TypeError]
    assert replayed(engine, snapshots, EVERYTHING, types_seen).resumed_after == 2


def test_what_goes_wrong_with_events_is_raised(engine: EventStore, snapshots: InMemorySnapshotStore) -> None:
    @dataclass
    class Unavailable(WrappedStore):
        def query(self, filter: Filter, **options: Any) -> Any:
            raise StoreUnavailable("down", outcome_unknown=False)

    fill(engine, "A")
    replayed(engine, snapshots, EVERYTHING, types_seen, save_after=1)
    kept = snapshots.load(KEY)
    assert kept is not None
    with pytest.raises(StoreUnavailable):
        replayed(Unavailable(engine), snapshots, EVERYTHING, types_seen)
    fill(engine, "B")
    with pytest.raises(Down):
        replayed(engine, snapshots, EVERYTHING, replace(types_seen, evolve=raising))
    assert snapshots.load(KEY) == kept


def test_an_interrupt_is_not_swallowed(snapshots: InMemorySnapshotStore) -> None:
    def interrupt(_: object) -> bytes:
        raise KeyboardInterrupt

    store = InMemoryEventStore()
    fill(store, "A")
    with pytest.raises(KeyboardInterrupt):
        replayed(store, snapshots, EVERYTHING, replace(types_seen, encode=interrupt), save_after=1)


# Restored from an older backup -------------------------------------------------------------------------------------


def restored(backup: list[StorableEvent], *since: str) -> InMemoryEventStore:
    """A store that has the events of a backup, and those that were appended since."""
    store = InMemoryEventStore()
    for one in backup:
        store.append(one)
    fill(store, *since)
    return store


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ((), "the snapshot lies beyond the head"),
        (("X",), "the head has the number of the snapshot again"),
        (("X", "Y", "Z"), "the log has grown past the snapshot"),
    ],
)
def test_a_snapshot_of_a_history_that_was_lost_is_ignored_and_replaced(since: tuple[str, ...], why: str) -> None:
    backup = [event("A"), event("B")]
    snapshots = InMemorySnapshotStore()
    lost = restored(backup, "C")
    assert replayed(lost, snapshots, EVERYTHING, types_seen, save_after=1).state == ["A", "B", "C"]
    store = restored(backup, *since)
    found = replayed(store, snapshots, EVERYTHING, types_seen, save_after=1)
    assert (found.state, found.resumed_after, found.saved) == (["A", "B", *since], 0, True), why
    again = replayed(store, snapshots, EVERYTHING, types_seen)
    assert (again.state, again.resumed_after) == (["A", "B", *since], 2 + len(since))


def test_a_lost_event_whose_place_was_taken_by_one_that_does_not_match_is_noticed() -> None:
    snapshots = InMemorySnapshotStore()
    replayed(restored([], "A", "A"), snapshots, of_types("A"), types_seen, save_after=1)
    store = restored([], "A", "B", "A")
    assert replayed(store, snapshots, of_types("A"), types_seen).resumed_after == 0


def test_a_snapshot_from_before_the_backup_is_still_of_use() -> None:
    backup = [event("A"), event("B")]
    snapshots = InMemorySnapshotStore()
    replayed(restored(backup), snapshots, EVERYTHING, types_seen, save_after=1)
    found = replayed(restored(backup, "X"), snapshots, EVERYTHING, types_seen)
    assert (found.state, found.resumed_after) == (["A", "B", "X"], 2)


def test_a_snapshot_that_cannot_be_deleted_is_ignored_all_the_same() -> None:
    snapshots = Failing(steps=frozenset({"delete"}))
    replayed(restored([], "A", "B", "C"), snapshots, EVERYTHING, types_seen, save_after=1)
    found = replayed(restored([], "X"), snapshots, EVERYTHING, types_seen, save_after=1)
    assert (found.state, found.saved) == (["X"], False)
    assert [str(failure) for failure in found.failures] == ["delete"]


def test_a_stream_continues_a_snapshot_if_it_begins_with_its_last_event(engine: EventStore) -> None:
    first, second = event("A"), event("B")
    engine.append(first, second)
    tail = engine.query(EVERYTHING.after_sequence_number(1))
    assert continues(Snapshot(2, second.event_id, b""), tail)
    assert not continues(Snapshot(2, first.event_id, b""), tail)
    assert not continues(Snapshot(1, second.event_id, b""), tail)
    assert not continues(Snapshot(3, second.event_id, b""), engine.query(EVERYTHING.after_sequence_number(2)))
