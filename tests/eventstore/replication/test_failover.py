"""With synchronous replication the primary may be lost, but no acknowledged event."""

import os
import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from eventstore import StorableEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from tests.eventstore.guarantee_checks import EVERYTHING, event
from tests.eventstore.replication.servers import Servers, ask, streaming_pair, wait_until


@dataclass
class Writer:
    """Appends one event after the other until the server is gone."""

    store: PostgresEventStore
    acknowledged: dict[UUID, int] = field(default_factory=dict)
    in_doubt: list[StorableEvent] = field(default_factory=list)

    def run(self) -> None:
        while True:
            one = event("Something", Index=len(self.acknowledged))
            try:
                [self.acknowledged[one.event_id]] = self.store.append(one)
            except StoreUnavailable as gone:
                if gone.outcome_unknown:
                    self.in_doubt.append(one)
                return


@contextmanager
def deaf(pair: Servers) -> Generator[None]:
    """The standby hears nothing: its receiver is stopped."""
    receiver = ask(pair.standby.dsn, "SELECT pid FROM pg_stat_wal_receiver")
    os.kill(receiver, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(receiver, signal.SIGCONT)


@pytest.mark.parametrize("level", ["on", "remote_apply"])
def test_a_failover_to_a_synchronous_standby_loses_no_acknowledged_event(level: str) -> None:
    with streaming_pair() as pair:
        pair.configure(pair.primary, "synchronous_commit", level)
        pair.configure(pair.primary, "synchronous_standby_names", "*")
        with open_pool(pair.primary.dsn) as pool, ThreadPoolExecutor(4) as threads:
            PostgresEventStore(pool).create_schema()
            # Each with a store of its own, as if in a process of its own: appends of one store would go together.
            writers = [Writer(PostgresEventStore(pool, lock_timeout=600)) for _ in range(4)]
            running = [threads.submit(writer.run) for writer in writers]
            wait_until(lambda: sum(len(writer.acknowledged) for writer in writers) > 200)
            with deaf(pair):
                # An append that nobody but the primary has is not acknowledged: without that, events would be lost now.
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event IN ('SyncRep', 'advisory')"
                wait_until(lambda: ask(pair.primary.dsn, waiting) == len(writers))
                pair.primary.kill()
            for one in running:
                one.result()
        pair.promote_standby()
        with open_pool(pair.standby.dsn) as pool:
            promoted = PostgresEventStore(pool)
            stored = {found.event_id: found.sequence_number for found in promoted.stream(EVERYTHING)}
            for writer in writers:
                assert writer.acknowledged.items() <= stored.items()
            # What nobody could know is settled by appending it again.
            in_doubt = [one for writer in writers for one in writer.in_doubt]
            assert in_doubt
            settled = {one.event_id: promoted.append(one)[0] for one in in_doubt}
            everything = {found.event_id: found.sequence_number for found in promoted.stream(EVERYTHING)}
            assert everything == {**stored, **settled}
