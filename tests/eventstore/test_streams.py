"""Streams from PostgreSQL, beyond the contract: windows of the primary key, in bounded memory, in no transaction."""

import tracemalloc
from collections.abc import Callable, Iterable

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import EventStore, Filter, SchemaMissing, SequencedEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool, reading
from eventstore.postgres.pool import Pool, borrowed
from eventstore.testing.contract import Streams
from tests.eventstore.examples import EVERYTHING, event


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of three positions, so that a short log has several."""
    monkeypatch.setattr(reading, "WINDOW", 3)


class TestStreamsOfSeveralWindows(Streams):
    @pytest.fixture
    def engine(self, store: PostgresEventStore, narrow: None) -> EventStore:
        return store


def test_numbers_that_were_never_committed_do_not_hold_a_stream_up(
    dsn: str, store: PostgresEventStore, table: str, narrow: None
) -> None:
    store.append(event("First"))
    with psycopg.connect(dsn) as connection:
        for _ in range(20):
            store.append(event("Undone"), connection=connection)
        connection.rollback()
    store.append(event("Last"))
    with psycopg.connect(dsn) as connection:
        store.append(event("Undone"), connection=connection)
        connection.rollback()
    assert [(found.sequence_number, found.event_type) for found in store.stream(EVERYTHING)] == [
        (1, "First"),
        (22, "Last"),
    ]
    assert [found.event_type for found in store.stream(EVERYTHING.as_of(21))] == ["First"]


def test_a_stream_is_in_order_wherever_the_rows_lie(
    dsn: str, store: PostgresEventStore, table: str, narrow: None
) -> None:
    """Vacuum frees the place of rows that were rolled back, and later ones move in."""
    for number in range(1, 5):
        store.append(event(payload=f'{{"N": {number}}}'))
    with psycopg.connect(dsn) as connection:
        store.append(event("Undone", f'{{"Text": "{"x" * 7_000}"}}'), connection=connection)
        connection.rollback()
    long = "".join(chr(0x4E00 + index * 7 % 20_000) for index in range(2_000))
    with psycopg.connect(dsn) as connection:
        store.append(*[event("Undone", f'{{"Text": "{long}"}}') for _ in range(8)], connection=connection)
        connection.rollback()
    store.append(event(payload='{"N": 5}'), *[event(payload=f'{{"N": {number}}}') for number in range(6, 40)])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("VACUUM {}").format(Identifier(table)))
    store.append(event(payload='{"N": 40}'), *[event(payload=f'{{"N": {number}}}') for number in range(41, 80)])
    scans = "-c enable_seqscan=on -c enable_indexscan=off -c enable_indexonlyscan=off -c enable_bitmapscan=off"
    with psycopg.connect(dsn, options=scans) as connection:
        lying = connection.execute(SQL("SELECT sequence_number FROM {}").format(Identifier(table))).fetchall()
        assert lying != sorted(lying), "the rows lie in order, so this test would prove nothing"
    with open_pool(psycopg.conninfo.make_conninfo(dsn, options=scans)) as pool:
        found = list(PostgresEventStore(pool, table).stream(EVERYTHING))
    assert [stored.payload for stored in found] == [f'{{"N": {number}}}'.encode() for number in range(1, 80)]


def test_no_transaction_stays_open_between_windows(
    dsn: str, store: PostgresEventStore, table: str, narrow: None
) -> None:
    store.append(*[event() for _ in range(10)])
    with open_pool(dsn, max_size=1) as pool:
        stream = PostgresEventStore(pool, table).stream(EVERYTHING)
        next(stream)
        with borrowed(pool) as connection:  # it is free, although the stream goes on
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert len(list(stream)) == 9


def test_a_stream_is_refused_at_once_where_there_is_no_schema(pool: Pool, table: str) -> None:
    with pytest.raises(SchemaMissing):
        PostgresEventStore(pool, table).stream(EVERYTHING)


def test_a_stream_whose_table_vanishes_says_so_in_the_middle(
    dsn: str, store: PostgresEventStore, table: str, narrow: None
) -> None:
    store.append(*[event() for _ in range(10)])
    stream = store.stream(EVERYTHING)
    next(stream)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(SQL("DROP TABLE {} CASCADE").format(Identifier(table)))
    with pytest.raises(SchemaMissing):
        list(stream)


def test_a_stream_whose_server_is_gone_says_so(dsn: str, store: PostgresEventStore, table: str, narrow: None) -> None:
    store.append(*[event() for _ in range(10)])
    with open_pool(dsn, max_size=1) as pool:
        stream = PostgresEventStore(pool, table).stream(EVERYTHING)
        next(stream)
        pool.close()
        with pytest.raises(StoreUnavailable) as gone:
            list(stream)
        assert not gone.value.outcome_unknown


def test_a_long_stream_needs_the_memory_of_one_window(store: PostgresEventStore) -> None:
    long = event("Long", f'{{"Text": "{"x" * 500}"}}')
    batch = [event(long.event_type, long.payload.decode()) for _ in range(5_000)]
    store.append(batch[0], *batch[1:])
    batch = [event(long.event_type, long.payload.decode()) for _ in range(5_000)]
    store.append(batch[0], *batch[1:])
    of_a_stream = _peak(store.stream)
    of_a_query = _peak(store.query)
    assert of_a_stream < of_a_query / 2


def _peak(read: Callable[[Filter], Iterable[SequencedEvent]]) -> int:
    """Bytes that Python holds at most while the events are counted."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(EVERYTHING)) == 10_000
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
