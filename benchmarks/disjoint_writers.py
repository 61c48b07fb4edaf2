"""Many writers, each with a copy and a reader of its own: every append is guarded, and none may be refused."""

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError
from typing import Final

import psycopg

from benchmarks.library_log import Pair
from benchmarks.loans import storable
from benchmarks.server import CannotMeasure
from benchmarks.stretches import Stretch, run_together
from benchmarks.twin import Copies, Inserts
from eventstore import AppendCondition, ConcurrencyConflict, Filter, FilterBuilder, StorableEvent
from eventstore.postgres import PostgresEventStore, open_pool
from slices.codec import decode
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import boundary

FLOOR: Final = "unguarded INSERTs"
COMBINED: Final = "appends, combined"
APART: Final = "appends, each alone"
LINES: Final = (FLOOR, COMBINED, APART)

_WARM_UP: Final = 0.2  # seconds
_PATIENCE: Final = 60.0  # seconds until the last process must stand ready

_start_line: Barrier | None = None  # of the processes, in each of them


@dataclass(frozen=True, slots=True)
class Work:
    """What the writers of one process do within one stretch.

    Attributes:
        dsn: the server.
        copies: the events tables, with guard and without.
        line: which of `LINES`.
        pairs: a copy and a reader for each writer.
        seconds: how long.
    """

    dsn: str
    copies: Copies
    line: str
    pairs: tuple[Pair, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it.

    Attributes:
        stretch: the times.
        appended: events that the store acknowledged, those of the warm-up included.
    """

    stretch: Stretch
    appended: int


class Writer:
    """Lends and returns one copy, by turns, in a stream in which nobody else writes.

    Args:
        pair: the copy and the reader.
        append: stores an event, guarded or not, given the position up to which this writer has read.
        position: the head of the store.
    """

    def __init__(self, pair: Pair, append: Callable[[StorableEvent, int], int], position: int = 0) -> None:
        self._pair = pair
        self._append = append
        self._position = position
        self._is_lent = False
        self.appended = 0

    def write(self) -> None:
        """Append the next event. What the writer has read up to is, from then on, this event."""
        event = BookCopyReturnedByReader if self._is_lent else BookCopyLentToReader
        happened = event(book_id=self._pair.book_id, reader_id=self._pair.reader_id, occurred_at=datetime.now(UTC))
        self._position = self._append(storable(happened), self._position)
        self._is_lent = not self._is_lent
        self.appended += 1

    def finish(self) -> None:
        """Return what is lent."""
        if self._is_lent:
            self.write()


def work(order: Work) -> Done:
    """Carry out one stretch in this process; if others take part, all begin together."""
    if not order.pairs:
        _wait_for_others()
        return Done(Stretch(0, ()), 0)
    with ExitStack() as opened:
        if order.line == FLOOR:
            writers = [_unguarded(order, pair, opened) for pair in order.pairs]
        else:
            writers = _guarded(order, opened)
        for writer in writers:
            writer.write()  # prepares the statement on each connection
        try:
            run_together([writer.write for writer in writers], min(_WARM_UP, order.seconds))
            stretch = run_together([writer.write for writer in writers], order.seconds, _wait_for_others)
        except ConcurrencyConflict as conflict:
            raise CannotMeasure(f"somebody else writes to this store: {conflict}") from conflict
        except BrokenBarrierError as error:
            raise CannotMeasure("another process of the writers failed, or did not start in time") from error
        for writer in writers:
            writer.finish()
    guarded = order.line != FLOOR
    return Done(stretch, sum(writer.appended for writer in writers) if guarded else 0)


@contextmanager
def workers(processes: int) -> Generator[Callable[[Sequence[Work]], list[Done]]]:
    """Give a function that carries out orders at the same time, one in each process.

    Args:
        processes: 1 is this process.
    """
    if processes == 1:
        yield lambda orders: [work(order) for order in orders]
        return
    context = multiprocessing.get_context("spawn")
    line = context.Barrier(processes)
    with ProcessPoolExecutor(processes, context, initializer=_in_process, initargs=(line,)) as pool:
        yield lambda orders: list(pool.map(work, orders))


def shared_out(pairs: Sequence[Pair], processes: int) -> list[tuple[Pair, ...]]:
    """Which process takes which pairs, as evenly as possible. Some take none if there are fewer."""
    return [tuple(pairs[first::processes]) for first in range(processes)]


def audit(store: PostgresEventStore, after: int, acknowledged: int) -> None:
    """Read what was appended, and make sure that it is what was acknowledged and what the rules allow.

    Raises:
        AssertionError: an event is missing, or a copy was lent twice, or returned twice.
    """
    everything = FilterBuilder().matching_any_event().after_sequence_number(after)
    with_reader: dict[str, str] = {}
    found = 0
    for stored in store.stream(everything):
        found += 1
        match decode(stored):
            case BookCopyLentToReader(book_id=book_id, reader_id=reader_id):
                assert book_id not in with_reader, f"{book_id} was lent twice"
                with_reader[book_id] = reader_id
            case BookCopyReturnedByReader(book_id=book_id, reader_id=reader_id):
                assert with_reader.pop(book_id, None) == reader_id, f"{book_id} was returned and not lent"
            case other:
                raise AssertionError(f"nobody writes {other}")
    assert not with_reader
    assert found == acknowledged, f"{acknowledged} events were acknowledged, and {found} are stored"


def _unguarded(order: Work, pair: Pair, opened: ExitStack) -> Writer:
    connection = opened.enter_context(psycopg.connect(order.dsn, autocommit=True))
    inserts = Inserts(connection, order.copies.twin)

    def insert(event: StorableEvent, position: int) -> int:
        inserts.insert(event)
        return position

    return Writer(pair, insert)


def _guarded(order: Work, opened: ExitStack) -> list[Writer]:
    size = len(order.pairs)
    pool = opened.enter_context(open_pool(order.dsn, min_size=size, max_size=size))
    shared = PostgresEventStore(pool, order.copies.store)
    writers = []
    for pair in order.pairs:
        # Only appends of one store object are combined, so a store for each writer keeps them apart.
        store = shared if order.line == COMBINED else PostgresEventStore(pool, order.copies.store)
        stream = boundary(LendBookToReader(pair.book_id, pair.reader_id, datetime.now(UTC)))

        def append(
            event: StorableEvent, position: int, store: PostgresEventStore = store, stream: Filter = stream
        ) -> int:
            [number] = store.append(event, condition=AppendCondition(stream, position))
            return number

        writers.append(Writer(pair, append, store.query(stream).position))
    return writers


def _in_process(line: Barrier) -> None:
    global _start_line  # noqa: PLW0603 (a process of the pool is given it once, when it starts)
    _start_line = line
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process ends the others


def _wait_for_others() -> None:
    if _start_line is not None:
        _start_line.wait(_PATIENCE)
