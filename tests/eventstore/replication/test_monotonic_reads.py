"""Who passes on the newest position it has seen never looks back, whoever answers and whatever happens meanwhile."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from eventstore import Consistency, EventStream, Filter, FilterBuilder
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from tests.eventstore.guarantee_checks import EVERYTHING, about, event
from tests.eventstore.replication.servers import Servers, wait_until

EVENTUAL = Consistency.EVENTUAL
BY_TYPE = FilterBuilder().matching().any_event_type_of("Something").finalize()
ENOUGH = 100
"""Answers for each reader, in each state of the standby."""


@dataclass
class Reader:
    """Reads on and on, each time at least as far as before."""

    store: PostgresEventStore
    filter: Filter
    answers: list[EventStream] = field(default_factory=list)

    def run(self, over: threading.Event) -> None:
        position = 0
        while not over.is_set():
            answer = self.store.query(self.filter, consistency=EVENTUAL, at_least=position, limit=5, backwards=True)
            assert answer.position >= position
            position = answer.position
            self.answers.append(answer)


@dataclass
class Writer:
    """Appends, and looks at once for what it has appended."""

    store: PostgresEventStore
    appended: list[UUID] = field(default_factory=list)

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            mark = uuid4()
            one = event("Something", Mark=str(mark))
            [number] = self.store.append(one)
            answer = self.store.query(about("Mark", str(mark)), consistency=EVENTUAL, at_least=number)
            assert [found.event_id for found in answer] == [one.event_id]
            self.appended.append(one.event_id)


def test_no_read_goes_back_behind_at_least(
    servers: Servers, replicated: PostgresEventStore, replica_pool: Pool
) -> None:
    readers = [Reader(replicated, filter) for filter in (EVERYTHING, BY_TYPE)]
    writers = [Writer(replicated) for _ in range(2)]
    over = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(run, over) for run in (*(one.run for one in readers), *(one.run for one in writers))]

        def proceeds(what: Callable[[], object]) -> None:
            """Something happens to the standby, and everybody goes on."""
            what()
            before = [len(reader.answers) for reader in readers]
            wait_until(
                lambda: (
                    any(one.done() for one in running)
                    or all(len(one.answers) > n + ENOUGH for one, n in zip(readers, before, strict=True))
                )
            )

        try:
            for _ in range(2):
                for what in (
                    servers.wait_until_caught_up,
                    servers.pause_replay,
                    servers.resume_replay,
                    servers.stop_standby,
                    servers.start_standby,
                ):
                    proceeds(what)
        finally:
            over.set()
        for one in running:
            one.result()

    # Every answer was the past that it said it was.
    log = list(replicated.stream(EVERYTHING))
    assert {event_id for writer in writers for event_id in writer.appended} == {found.event_id for found in log}
    for reader in readers:
        for answer in reader.answers:
            assert list(answer) == log[: answer.position][::-1][:5]
    assert replica_pool.get_stats()["requests_num"] > ENOUGH, "the replica was not asked: this was no test"
