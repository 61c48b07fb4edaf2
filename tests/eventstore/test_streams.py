"""Reading streams of any length, and reading the past: the same for every engine, in bounded memory on PostgreSQL."""

import tracemalloc
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from eventstore import EventStore, Filter, FilterBuilder, P, SchemaMissing, SequencedEvent, StoreUnavailable
from eventstore.postgres import PostgresEventStore, open_pool, reading
from eventstore.postgres.pool import Pool, borrowed
from tests.eventstore.examples import EVERYTHING, NOON, event, having, of_types


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of three positions, so that a short log has several."""
    monkeypatch.setattr(reading, "WINDOW", 3)


@pytest.fixture
def lending(engine: EventStore, narrow: None) -> EventStore:
    """Positions 1 to 10, an hour from one to the next, of two types and two books."""
    for hour in range(10):
        event_type, book = ("Lent", "Returned")[hour % 2], 1 + (hour >= 4)
        engine.append(event(event_type, f'{{"Book": {book}}}', NOON + timedelta(hours=hour)))
    return engine


START = FilterBuilder().matching()
STREAMS: list[Filter] = [
    EVERYTHING,
    of_types("Lent"),
    of_types("Unknown"),
    having("Book", 2),
    EVERYTHING.after_sequence_number(4),
    EVERYTHING.as_of(7),
    EVERYTHING.as_of(100),
    EVERYTHING.as_of(0),
    EVERYTHING.after_sequence_number(100),
    of_types("Lent").after_sequence_number(2).as_of(9),
    START.any_event_type_of("Returned").and_any_predicate_of(P("Book", 1), P("Book", 2)).finalize(),
    START.any_event_type_of("Lent").or_matching().any_predicate_of(P("Book", 1)).up_to(8).finalize(),
    having("Book", 1).as_of_moment(NOON + timedelta(hours=2)),
    FilterBuilder().occurred_from(NOON + timedelta(hours=5)).finalize(),
]


def test_a_stream_holds_what_a_query_finds(lending: EventStore) -> None:
    for filter in STREAMS:
        assert tuple(lending.stream(filter)) == lending.query(filter).events, str(filter)


def test_a_stream_of_an_empty_store_is_empty(engine: EventStore) -> None:
    assert list(engine.stream(EVERYTHING)) == []


def test_a_stream_ends_at_what_was_the_head_when_it_began(lending: EventStore) -> None:
    stream = lending.stream(EVERYTHING)
    lending.append(event("Late"))
    first = [found.sequence_number for found in islice(stream, 4)]
    lending.append(event("Later"), event("Later"))
    assert first + [found.sequence_number for found in stream] == list(range(1, 11))


def test_the_past_can_be_read_as_of_a_position_or_a_moment(lending: EventStore) -> None:
    assert [found.sequence_number for found in lending.query(of_types("Lent").as_of(4))] == [1, 3]
    three_o_clock = NOON + timedelta(hours=3)
    assert [found.sequence_number for found in lending.query(EVERYTHING.as_of_moment(three_o_clock))] == [1, 2, 3, 4]


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
