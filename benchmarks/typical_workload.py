"""What a command costs: query, append and all of it, beside the least that any client of PostgreSQL would need."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import Any, Final, LiteralString, NamedTuple, cast
from uuid import uuid4

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from benchmarks.library_log import LENDINGS_PER_COPY, Library, Pair
from benchmarks.sampling import Measured
from benchmarks.server import CannotMeasure
from eventstore import AppendCondition, EventStream, FilterBuilder, StorableEvent
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import Pool
from eventstore.postgres.schema import TableName
from slices.codec import Metadata, decode, encode
from slices.command_loop import CommandLoop
from slices.decision import Append
from slices.domain_event import DomainEvent
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import Relevant, State, boundary, decide, evolve
from slices.lending.lend_book_to_reader.handler import LendBookToReaderHandler
from slices.origin import Origin
from slices.outcome import Outcome

ROUND_TRIP: Final = "round trip (SELECT 1)"
ROWS_BY_KEY: Final = "the same rows by primary key"
QUERY: Final = "query"
BARE_INSERT: Final = "bare INSERT + COMMIT"
APPEND: Final = "append"
APPEND_TO_LONG_STREAM: Final = "append on a long stream"
APPEND_BEHIND: Final = "append, 100 newer events"
TYPICAL_WORKLOAD: Final = "typical workload"

NEWER_EVENTS: Final = 100
_MOST_LENT_PAIRS: Final = 1000

# The columns and their form as the store reads them; only the way to the rows differs.
_ROWS_BY_KEY: LiteralString = """
SELECT sequence_number, event_id, event_type, occurred_at AT TIME ZONE 'UTC', payload::text, metadata::text
FROM {table}
WHERE sequence_number = ANY(%s::bigint[])
ORDER BY sequence_number
"""
_BARE_INSERT: LiteralString = """
INSERT INTO {table} (event_id, event_type, occurred_at, payload, metadata)
VALUES (%s, %s, %s, %s::jsonb, %s::jsonb)
"""


class Loan(NamedTuple):
    """A pair that the rules allow to meet now.

    Attributes:
        command: what is asked for.
        stream: the events of its boundary, just queried, so the pages that hold them are in memory.
        event: what the rules answer, ready to be stored.
    """

    command: LendBookToReader
    stream: EventStream
    event: StorableEvent


class RawLoan(NamedTuple):
    """A loan, and the store's own connection to go around the store with."""

    loan: Loan
    connection: Connection[Any]


@dataclass
class TypicalWorkload:
    """Everything that is measured, on one primed store by one client with one connection.

    Each measurement takes a pair of copy and reader that did not meet in this run, and queries its boundary before
    the clock starts. What it lends is returned after the clock has stopped.

    Attributes:
        pool: of one connection. The floors use it too: two server processes would compete for the processor's caches.
        table: the events table.
        library: whose history is in it.
        events_found: how many events each query found.
    """

    pool: Pool
    table: str
    library: Library
    shuffling: random.Random = field(default_factory=random.Random)
    events_found: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._store = PostgresEventStore(self.pool, self.table)
        self._pairs: Iterator[Pair] = self.library.pairs(self.shuffling)
        self._lend = LendBookToReaderHandler(CommandLoop(self._store))
        name = TableName.parse(self.table)
        self._rows_by_key = _for_table(_ROWS_BY_KEY, name)
        self._bare_insert = _for_table(_BARE_INSERT, name)

    @property
    def long_stream(self) -> int:
        """The number of events in the stream of `APPEND_TO_LONG_STREAM` when the store was primed."""
        return LENDINGS_PER_COPY * len(self.library.books)

    def things(self) -> tuple[Measured[Any, Any], ...]:
        """What is measured."""
        return (
            Measured(ROUND_TRIP, self._raw_loan, _select_one, self._release),
            Measured(ROWS_BY_KEY, self._raw_loan, self._fetch_by_key, self._same_rows),
            Measured(QUERY, self.free_loan, self._query, self._same_events),
            Measured(BARE_INSERT, self._raw_loan, self._insert, self._inserted),
            Measured(APPEND, self._guarded, self._append, self._appended),
            Measured(APPEND_TO_LONG_STREAM, self._guarded_on_long_stream, self._append, self._appended),
            Measured(APPEND_BEHIND, self._guarded_behind, self._append, self._appended),
            Measured(TYPICAL_WORKLOAD, self.free_loan, self._handle, self._handled),
        )

    def free_loan(self) -> Loan:
        """Find a pair that may meet, by asking the rules.

        Raises:
            CannotMeasure: nobody may lend anything; the store is not what priming made.
        """
        for _ in range(_MOST_LENT_PAIRS):
            pair = next(self._pairs)
            command = LendBookToReader(book_id=pair.book_id, reader_id=pair.reader_id, occurred_at=datetime.now(UTC))
            stream = self._store.query(boundary(command))
            history = (cast("Relevant", decode(event)) for event in stream)
            match decide(reduce(evolve, history, State.of(command)), command):
                case Append((BookCopyLentToReader() as lent,)):
                    return Loan(command, stream, _storable(lent))
                case _:  # left behind by a run that was interrupted
                    continue
        raise CannotMeasure("every copy is lent; prime the store again with --fresh")

    # The floors ----------------------------------------------------------------------------------------------------

    def _raw_loan(self) -> RawLoan:
        loan = self.free_loan()
        return RawLoan(loan, self.pool.getconn())

    def _release(self, raw: RawLoan, _: object) -> None:
        self.pool.putconn(raw.connection)

    def _fetch_by_key(self, raw: RawLoan) -> list[tuple[Any, ...]]:
        numbers = [event.sequence_number for event in raw.loan.stream.events]
        return _fetch(raw.connection, self._rows_by_key, [numbers])

    def _same_rows(self, raw: RawLoan, rows: list[tuple[Any, ...]]) -> None:
        self.pool.putconn(raw.connection)
        assert [row[0] for row in rows] == [event.sequence_number for event in raw.loan.stream]

    def _insert(self, raw: RawLoan) -> int:
        event = raw.loan.event
        with raw.connection.cursor(row_factory=tuple_row) as cursor:
            values = (
                event.event_id,
                event.event_type,
                event.occurred_at,
                event.payload.decode(),
                event.metadata.decode(),
            )
            return cursor.execute(self._bare_insert, values, prepare=True, binary=True).rowcount

    def _inserted(self, raw: RawLoan, rows: int) -> None:
        self.pool.putconn(raw.connection)
        assert rows == 1
        self._give_back(raw.loan)

    # The store -----------------------------------------------------------------------------------------------------

    def _query(self, loan: Loan) -> EventStream:
        return self._store.query(loan.stream.filter)

    def _same_events(self, loan: Loan, found: EventStream) -> None:
        assert found.events == loan.stream.events
        self.events_found.append(len(found))

    def _guarded(self) -> tuple[Loan, AppendCondition]:
        loan = self.free_loan()
        return loan, loan.stream.append_condition

    def _guarded_on_long_stream(self) -> tuple[Loan, AppendCondition]:
        every_loan = FilterBuilder().matching().any_event_type_of(BookCopyLentToReader.TYPE).finalize()
        newest = self._store.query(every_loan, limit=1, backwards=True)
        return self.free_loan(), newest.append_condition

    def _guarded_behind(self) -> tuple[Loan, AppendCondition]:
        loan = self.free_loan()
        strangers = LendBookToReader(book_id=str(uuid4()), reader_id=str(uuid4()), occurred_at=datetime.now(UTC))
        return loan, AppendCondition(boundary(strangers), max(0, loan.stream.position - NEWER_EVENTS))

    def _append(self, guarded: tuple[Loan, AppendCondition]) -> list[int]:
        loan, condition = guarded
        return self._store.append(loan.event, condition=condition)

    def _appended(self, guarded: tuple[Loan, AppendCondition], numbers: list[int]) -> None:
        loan, _ = guarded
        _check_alone(numbers == [loan.stream.position + 1])
        self._give_back(loan)

    def _handle(self, loan: Loan) -> Outcome:
        return self._lend.handle(loan.command, Origin.new())

    def _handled(self, loan: Loan, outcome: Outcome) -> None:
        _check_alone(isinstance(outcome.decision, Append) and len(outcome.report.attempts) == 1)
        self._give_back(loan)

    def _give_back(self, loan: Loan) -> None:
        command = loan.command
        returned = BookCopyReturnedByReader(
            book_id=command.book_id, reader_id=command.reader_id, occurred_at=datetime.now(UTC)
        )
        self._store.append(_storable(returned))


def _check_alone(undisturbed: bool) -> None:
    if not undisturbed:
        raise CannotMeasure("somebody else writes to this store")


def _select_one(raw: RawLoan) -> object:
    return _fetch(raw.connection, "SELECT 1", [])


def _fetch(connection: Connection[Any], statement: bytes | LiteralString, values: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(statement, values, prepare=True, binary=True).fetchall()


def _for_table(text: LiteralString, name: TableName) -> bytes:
    return SQL(text).format(table=Identifier(name.schema, name.table)).as_bytes()  # once: it takes its time


def _storable(event: DomainEvent) -> StorableEvent:
    origin = Origin.new()
    return encode(event, Metadata(origin.event_id(0), origin.causation_id, origin.correlation_id))
