"""What happens when a server is down or busy, a pool exhausted or not ours, and when an answer gets lost."""

import select
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from eventstore import EventIdReused, InvalidEvent, StorableEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool, borrowed
from tests.eventstore import guarantee_checks as checks
from tests.eventstore.examples import EVERYTHING
from tests.eventstore.lossy_proxy import LossyProxy


@pytest.fixture
def proxy(dsn: str) -> Generator[LossyProxy]:
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder, LossyProxy(Path(folder), dsn) as running:
        yield running


@pytest.mark.parametrize("size", [1, 3])
def test_after_a_lost_answer_the_same_append_tells_what_became_of_it(
    proxy: LossyProxy, store: PostgresEventStore, table: str, size: int
) -> None:
    batch = [checks.event("Lent", BookID="b", Index=index) for index in range(size)]
    with open_pool(proxy.dsn, max_size=1) as pool:
        distant = PostgresEventStore(pool, table)
        condition = distant.query(checks.about("BookID", "b")).append_condition
        proxy.lose_next_answer()
        with pytest.raises(StoreUnavailable) as lost:
            distant.append(*batch, condition=condition)
        assert lost.value.outcome_unknown
        # The guard alone would call the event's own first copy a conflict.
        numbers = distant.append(*batch, condition=condition)
    assert [event.sequence_number for event in store.query(checks.EVERYTHING)] == numbers
    assert [event.event_id for event in store.query(checks.EVERYTHING)] == [event.event_id for event in batch]


def test_a_lost_answer_to_a_query_is_an_unavailable_store(
    proxy: LossyProxy, store: PostgresEventStore, table: str
) -> None:
    with open_pool(proxy.dsn, max_size=1) as pool:
        proxy.lose_next_answer()
        with pytest.raises(StoreUnavailable) as lost:
            PostgresEventStore(pool, table).query(checks.EVERYTHING)
        assert not lost.value.outcome_unknown
        assert len(PostgresEventStore(pool, table).query(checks.EVERYTHING)) == 0


def test_a_server_that_is_down_is_said_at_once_with_the_reason() -> None:
    with (
        pytest.raises(StoreUnavailable, match=r"\.s\.PGSQL\.5432") as down,
        open_pool("host=/nonexistent dbname=library"),
    ):
        pass
    assert not down.value.outcome_unknown


def test_a_wrong_database_is_said_with_its_name(dsn: str) -> None:
    with pytest.raises(StoreUnavailable, match="no_such_library"), open_pool(f"{dsn} dbname=no_such_library"):
        pass


def test_an_append_waits_only_so_long_for_the_lock(dsn: str, pool: Pool, store: PostgresEventStore, table: str) -> None:
    impatient = PostgresEventStore(pool, table, lock_timeout=0.05)
    with checks.lock_held(dsn, table):
        with pytest.raises(StoreUnavailable, match="lock timeout") as waited:
            impatient.append(checks.event())
        assert not waited.value.outcome_unknown
    assert len(impatient.append(checks.event())) == 1


def test_a_lock_timeout_of_the_session_or_the_store_does_not_outlive_the_append(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    with open_pool(f"{dsn} options='-c lock_timeout=7s'", max_size=1) as pool:
        PostgresEventStore(pool, table, lock_timeout=0.5).append(checks.event())
        with borrowed(pool) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("7s",)


def test_after_one_wait_in_vain_others_are_refused_soon_until_a_connection_is_free(
    dsn: str, store: PostgresEventStore, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = list[float | None]()
    getconn = ConnectionPool.getconn

    def watched(pool: Pool, timeout: float | None = None) -> psycopg.Connection[Any]:
        waits.append(timeout)
        return getconn(pool, timeout)

    monkeypatch.setattr(ConnectionPool, "getconn", watched)
    with open_pool(dsn, max_size=1, timeout=0.5) as pool:
        patient = PostgresEventStore(pool, table)
        with borrowed(pool):
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    patient.query(EVERYTHING)
        for _ in range(2):
            patient.query(EVERYTHING)
        assert pool.reconnect_timeout <= 5, "pauses between attempts to connect grow no longer than that"
    assert waits == [None, None, 0.1, 0.1, 0.1, None]


def test_an_exhausted_pool_is_an_unavailable_store(dsn: str, store: PostgresEventStore, table: str) -> None:
    with open_pool(dsn, max_size=1, timeout=5) as pool:
        pool.timeout = 0.05
        with borrowed(pool), pytest.raises(StoreUnavailable) as exhausted:
            PostgresEventStore(pool, table).append(checks.event())
        assert not exhausted.value.outcome_unknown


def test_what_only_the_database_refuses_is_an_invalid_event(store: PostgresEventStore) -> None:
    nul = StorableEvent(checks.event().event_id, "Nul", checks.NOW, b'{"a": "\\u0000"}', b"{}")
    with pytest.raises(InvalidEvent):
        store.append(nul)
    with pytest.raises(InvalidEvent):
        store.append(StorableEvent(checks.event().event_id, "Nul\x00", checks.NOW, b"{}", b"{}"))
    assert len(store.append(checks.event())) == 1


def test_a_pool_that_is_not_ours_works_and_gets_its_connection_back_as_it_was(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    with ConnectionPool[psycopg.Connection[Any]](dsn, min_size=1, max_size=1, open=True) as pool:
        race = PostgresEventStore(pool, table)
        race.append(checks.event())
        with pool.connection() as connection:
            assert not connection.autocommit
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_racing_retries_of_one_event_store_it_once(store: PostgresEventStore) -> None:
    event = checks.event("Once")
    other = StorableEvent(event.event_id, "Other", checks.NOW, b"{}", b"{}")
    with ThreadPoolExecutor(8) as writers:
        numbers = list(writers.map(lambda _: store.append(event), range(40)))
    assert numbers == [[1]] * 40
    with pytest.raises(EventIdReused):
        store.append(other)


def test_a_connection_that_was_told_something_meanwhile_is_used_all_the_same(
    dsn: str, store: PostgresEventStore, table: str
) -> None:
    with open_pool(dsn, min_size=1, max_size=1) as pool:
        with borrowed(pool) as connection:
            connection.execute(SQL("LISTEN {}").format(Identifier(table)))
            pid = connection.info.backend_pid
        with borrowed(store._pool) as another:
            another.execute("SELECT pg_notify(%s, '')", [table])
        assert select.select([connection.fileno()], [], [], 60)[0], "nothing arrives"
        assert PostgresEventStore(pool, table).query(EVERYTHING).position == 0
        with borrowed(pool) as connection:
            assert connection.info.backend_pid == pid


class Stubborn(psycopg.Connection[Any]):
    """Refuses to change its mode, as a connection does that has just been lost."""

    def set_autocommit(self, value: bool) -> None:
        raise psycopg.OperationalError("the connection is lost")


def test_a_connection_that_cannot_be_prepared_goes_back_to_its_pool(dsn: str) -> None:
    with ConnectionPool[psycopg.Connection[Any]](
        dsn, connection_class=Stubborn, min_size=1, max_size=1, open=True
    ) as pool:
        for _ in range(2):  # the second one would wait for the connection in vain
            with pytest.raises(StoreUnavailable, match="the connection is lost") as told, borrowed(pool, timeout=5):
                pass
            assert not told.value.outcome_unknown
