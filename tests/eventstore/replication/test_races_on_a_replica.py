"""Everybody reads from a replica that lags, everybody writes to the primary, and no guard is lost."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from eventstore import AppendCondition, Consistency, EventStream, Filter, StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.testing.race import RaceReport, free_race, race_for_prizes
from tests.eventstore.replication.servers import Servers


@dataclass
class ReadsFromReplica:
    """The writers of a race decide on eventual reads. Its judge, who asks for no particular prize, sees everything."""

    store: PostgresEventStore
    newest: int = 0
    old_answers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def query(self, filter: Filter) -> EventStream:
        judge = not filter.items[0].predicates
        newest = self.newest
        answer = self.store.query(filter, consistency=Consistency.STRONG if judge else Consistency.EVENTUAL)
        with self.lock:
            self.old_answers += answer.position < newest
        return answer

    def append(self, event: StorableEvent, /, *, condition: AppendCondition | None) -> list[int]:
        numbers = self.store.append(event, condition=condition)
        with self.lock:
            self.newest = max(self.newest, *numbers)
        return numbers


@contextmanager
def lagging(servers: Servers) -> Generator[None]:
    """Let the standby show nothing new most of the time."""
    over = threading.Event()

    def stop_and_go() -> None:
        while not over.wait(0.02):
            servers.resume_replay()
            servers.pause_replay()

    thread = threading.Thread(target=stop_and_go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("race", [race_for_prizes, free_race])
def test_no_guard_is_lost_when_all_decisions_are_made_on_a_lagging_replica(
    servers: Servers, replicated: PostgresEventStore, race: Callable[..., RaceReport]
) -> None:
    store = ReadsFromReplica(replicated)
    with lagging(servers):
        report = race(store, writers=6, rounds=50)
    assert report.is_clean, str(report)
    assert report.conflicts, "nobody met anybody: this was no race"
    assert store.old_answers, "the replica never lagged: this was no test"
