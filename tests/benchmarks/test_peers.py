"""The peer holds the same events, finds the same, decides the same, and leaves nothing behind."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

import benchmarks
from benchmarks import peer_eventsourcing
from benchmarks.peer_eventsourcing import Peer, dcb_event, peer_with_events_of, query_of
from benchmarks.peers import Peers, measure
from benchmarks.priming import PrimedStore, prime
from benchmarks.sampling import OnRound, Samples, in_turns
from benchmarks.server import CannotMeasure
from benchmarks.typical_workload import APPEND, BARE_INSERT, QUERY, ROWS_BY_KEY, TYPICAL_WORKLOAD
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import boundary
from tests.benchmarks.publishing import published

EVENTS = 16 * 20


def silent(_name: str, _steps: int) -> OnRound:
    """Shows nothing."""
    return lambda: None


@pytest.fixture
def primed(dsn: str, schema: str) -> PrimedStore:
    return prime(dsn, EVENTS, schema=schema)


@pytest.fixture
def store(dsn: str, primed: PrimedStore) -> Iterator[PostgresEventStore]:
    with open_pool(dsn, max_size=1) as pool:
        yield PostgresEventStore(pool, primed.table)


@pytest.fixture
def peer(dsn: str, primed: PrimedStore, store: PostgresEventStore) -> Iterator[Peer]:
    with peer_with_events_of(dsn, store, primed.library) as filled:
        yield filled


def test_the_same_boundary_finds_the_same_events(peer: Peer, primed: PrimedStore, store: PostgresEventStore) -> None:
    for book, reader in zip(primed.library.books[:5], primed.library.readers[5:10], strict=True):
        command = LendBookToReader(book, reader, datetime.now(UTC))
        ours = store.query(boundary(command))
        answer = peer.recorder.read(query_of(command))
        assert [each.event for each in answer] == [dcb_event(decode(event)) for event in ours]
        assert answer.head == ours.position


def test_everything_in_turns_returns_what_it_lends(peer: Peer) -> None:
    rounds = 3
    samples = in_turns(peer.things(), rounds, warm_up=0)
    assert {len(each.nanoseconds) for each in samples.values()} == {rounds}
    added = [each.event.type for each in peer.recorder.read(after=EVENTS)]
    assert sorted(added) == ["BookCopyLentToReader"] * 2 * rounds + ["BookCopyReturnedByReader"] * 2 * rounds


def test_its_append_is_guarded_by_the_same_boundary(peer: Peer) -> None:
    asked = peer.free_loan()
    append = next(thing for thing in peer.things() if thing.name == peer_eventsourcing.APPEND)
    append.run(asked)
    with pytest.raises(CannotMeasure, match="somebody else"):
        append.run(asked)


def test_the_result_is_published_and_nothing_is_left(dsn: str, primed: PrimedStore, tmp_path: Path) -> None:
    printed, document = published(measure(dsn, primed, 2, silent), tmp_path)
    assert "eventsourcing 9" in printed
    assert set(document["peer_to_ours"]) == {QUERY, APPEND, TYPICAL_WORKLOAD}
    with psycopg.connect(dsn) as connection:
        left = connection.execute("SELECT FROM pg_database WHERE starts_with(datname, 'benchmark_peer_')").fetchall()
    assert left == []


def test_a_peer_that_is_not_installed_is_one_line(
    dsn: str, primed: PrimedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(benchmarks, "peer_eventsourcing")
    monkeypatch.delitem(sys.modules, "benchmarks.peer_eventsourcing")
    monkeypatch.setitem(sys.modules, "eventsourcing.dcb.api", None)
    with pytest.raises(CannotMeasure, match=r"pip install -e '\.\[peers\]'"):
        measure(dsn, primed, 1, silent)


def test_the_ratio_says_how_many_times_as_long_the_peer_takes() -> None:
    milliseconds = {
        ROWS_BY_KEY: 1,
        BARE_INSERT: 2,
        QUERY: 2,
        APPEND: 3,
        TYPICAL_WORKLOAD: 4,
        peer_eventsourcing.QUERY: 3,
        peer_eventsourcing.APPEND: 3,
        peer_eventsourcing.TYPICAL_WORKLOAD: 8,
    }
    result = Peers("a peer", EVENTS, {name: Samples(name, (ms * 1_000_000,) * 10) for name, ms in milliseconds.items()})
    assert [ratio.value for ratio in result.ratios.values()] == [1.5, 1.0, 2.0]
    assert result.floor(TYPICAL_WORKLOAD) == 3000
