"""Where snapshots are kept: one per projection, version and filter; damage is absence."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from eventstore import (
    FilterBuilder,
    InMemorySnapshotStore,
    P,
    Snapshot,
    SnapshotKey,
    SnapshotStore,
    uuid7,
)
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore
from eventstore.postgres.pool import Pool
from eventstore.snapshots import HIGHEST_PROJECTION_VERSION
from tests.eventstore.examples import STRANGE_TEXTS, having, of_types

HASH = having("K", 1).hash()
KEY = SnapshotKey("loans", 1, HASH)


def snapshot(number: int, state: bytes = b"state") -> Snapshot:
    return Snapshot(number, uuid7(), state)


@pytest.fixture(params=["memory", "postgres"])
def snapshots(request: pytest.FixtureRequest) -> Iterator[SnapshotStore]:
    """An empty store of snapshots of each kind."""
    if request.param == "memory":
        yield InMemorySnapshotStore()
    else:
        yield request.getfixturevalue("beside_the_log")


@pytest.fixture
def beside_the_log(pool: Pool, store: PostgresEventStore, table: str) -> PostgresSnapshotStore:
    """The snapshots of an events table."""
    return PostgresSnapshotStore(pool, table)


def test_what_is_saved_is_loaded(snapshots: SnapshotStore) -> None:
    kept = snapshot(7, bytes(range(256)))
    assert snapshots.load(KEY) is None
    assert snapshots.save(KEY, kept)
    assert snapshots.load(KEY) == kept


@pytest.mark.parametrize("state", [b"", b"\x00", b"\\x00", b"'", bytes(3_000_000)])
def test_a_state_is_any_bytes(snapshots: SnapshotStore, state: bytes) -> None:
    snapshots.save(KEY, snapshot(1, state))
    kept = snapshots.load(KEY)
    assert kept is not None
    assert kept.state == state


def test_a_projection_may_have_any_name_that_can_be_stored(snapshots: SnapshotStore) -> None:
    names = [*STRANGE_TEXTS, "x" * 255, "🜚" * 255]
    for number, name in enumerate(names, start=1):
        assert snapshots.save(SnapshotKey(name, 1, HASH), snapshot(number))
    for number, name in enumerate(names, start=1):
        kept = snapshots.load(SnapshotKey(name, 1, HASH))
        assert kept is not None
        assert kept.sequence_number == number


def test_the_greatest_numbers_can_be_kept(snapshots: SnapshotStore) -> None:
    key = SnapshotKey("loans", HIGHEST_PROJECTION_VERSION, HASH)
    kept = snapshot(2**63 - 1)
    snapshots.save(key, kept)
    assert snapshots.load(key) == kept


@pytest.mark.parametrize(
    "other",
    [SnapshotKey("loan", 1, HASH), SnapshotKey("loans", 2, HASH), SnapshotKey("loans", 1, having("K", 2).hash())],
    ids=["projection", "version", "filter"],
)
def test_another_projection_version_or_filter_has_a_snapshot_of_its_own(
    snapshots: SnapshotStore, other: SnapshotKey
) -> None:
    mine, others = snapshot(5), snapshot(3)
    snapshots.save(KEY, mine)
    assert snapshots.load(other) is None
    assert snapshots.save(other, others)
    assert (snapshots.load(KEY), snapshots.load(other)) == (mine, others)
    snapshots.delete(other)
    assert (snapshots.load(KEY), snapshots.load(other)) == (mine, None)


@pytest.mark.parametrize("number", [1, 6, 7])
def test_an_older_snapshot_never_replaces_a_newer_one(snapshots: SnapshotStore, number: int) -> None:
    newer = snapshot(7)
    snapshots.save(KEY, newer)
    assert not snapshots.save(KEY, snapshot(number, b"older"))
    assert snapshots.load(KEY) == newer


def test_a_newer_snapshot_replaces_an_older_one(snapshots: SnapshotStore) -> None:
    snapshots.save(KEY, snapshot(7))
    newer = snapshot(8, b"newer")
    assert snapshots.save(KEY, newer)
    assert snapshots.load(KEY) == newer


def test_deleting_makes_room_for_any_other(snapshots: SnapshotStore) -> None:
    snapshots.delete(KEY)
    snapshots.save(KEY, snapshot(7))
    snapshots.delete(KEY)
    assert snapshots.load(KEY) is None
    assert snapshots.save(KEY, snapshot(1))


def test_of_racing_savers_the_highest_number_stays_and_it_never_goes_back(snapshots: SnapshotStore) -> None:
    savers, rounds = 6, 25
    numbers = list(range(1, savers * rounds + 1))
    random.Random(7).shuffle(numbers)
    barrier, done = Barrier(savers + 1), threading.Event()

    def save(saver: int) -> None:
        barrier.wait()
        for number in numbers[saver::savers]:
            snapshots.save(KEY, snapshot(number, str(number).encode()))

    def watch() -> list[int]:
        barrier.wait()
        seen: list[int] = []
        while not done.is_set():
            kept = snapshots.load(KEY)
            if kept is not None:
                assert kept.state == str(kept.sequence_number).encode()
                seen.append(kept.sequence_number)
        return seen

    with ThreadPoolExecutor(savers + 1) as threads:
        watching = threads.submit(watch)
        try:
            list(threads.map(save, range(savers)))
        finally:
            done.set()
        seen = watching.result()
    assert seen == sorted(seen)
    kept = snapshots.load(KEY)
    assert kept is not None
    assert kept.sequence_number == len(numbers)


class ComparedSlowly:
    """A snapshot with number 1; when it is first compared, something else is tried, and given time to succeed."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self._meanwhile: Callable[[], object] | None = meanwhile

    @property
    def sequence_number(self) -> int:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            other = threading.Thread(target=meanwhile)
            other.start()
            other.join(timeout=0.3)  # it cannot end, if saving is one step
            self.other = other
        return 1


def test_in_memory_nobody_comes_between_comparing_and_saving() -> None:
    snapshots = InMemorySnapshotStore()
    compared: Any = ComparedSlowly(lambda: snapshots.save(KEY, snapshot(9)))
    snapshots.save(KEY, compared)
    snapshots.save(KEY, snapshot(7))
    compared.other.join()
    kept = snapshots.load(KEY)
    assert kept is not None
    assert kept.sequence_number == 9


def test_a_filter_that_is_said_in_another_order_finds_the_same_snapshot(snapshots: SnapshotStore) -> None:
    there = FilterBuilder().matching().any_predicate_of(P("K", 1), P("L", "x")).finalize()
    back = FilterBuilder().matching().any_predicate_of(P("L", "x"), P("K", 1.0)).finalize()
    kept = snapshot(7)
    snapshots.save(SnapshotKey.of("loans", 1, there), kept)
    assert snapshots.load(SnapshotKey.of("loans", 1, back)) == kept
    assert snapshots.load(SnapshotKey.of("loans", 1, of_types("A"))) is None
