"""How quickly the book search catches up, is rebuilt, and shows what was appended.

python -m benchmarks.live_model            # 100,000 events, on a private PostgreSQL that is deleted afterwards
python -m benchmarks.live_model 1000000
"""

import statistics
import sys
import time
from datetime import UTC, datetime

import psycopg

from benchmarks.library_log import Library
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import throwaway_server
from slices.codec import Metadata, encode
from slices.lending.book_search.live import LiveBookSearchHandler, model
from slices.lending.book_search.project import Question
from slices.lending.events import BookCopyLentToReader
from slices.live.answering import LiveAnswers
from slices.live.reading import Reading
from slices.live.rebuilding import rebuild
from slices.live.runner import LiveRunner
from slices.live.schema import create_tables
from slices.origin import Origin

APPENDS = 500
SEARCHES = 200


def main(events: int) -> None:
    """Measure and print."""
    library = Library.of(events)
    with throwaway_server() as server, open_pool(server.dsn) as pool:
        store = PostgresEventStore(pool)
        store.create_schema()
        with psycopg.connect(server.dsn) as connection, connection.cursor() as cursor:
            into = "COPY events (event_id, event_type, occurred_at, payload, metadata) FROM STDIN"
            with cursor.copy(into) as copy:
                for line in library.copy_lines():
                    copy.write(line)
        create_tables(pool, model)
        live = LiveAnswers(pool)
        began = time.perf_counter()
        with LiveRunner(model, store, server.dsn):
            _wait(live, events, pause=0.02)
            _tell("catching up", events, time.perf_counter() - began)
            delays = [_delay(live, store, library, number) for number in range(APPENDS)]
        began = time.perf_counter()
        rebuild(model, Reading(store), server.dsn)
        _tell("rebuilding", events, time.perf_counter() - began)
        searches = [_search(live) for _ in range(SEARCHES)]
    for what, seconds in (("from the append's return to the visible row", delays), ("one search", searches)):
        ninety_nine = statistics.quantiles(seconds, n=100)[98]
        print(f"{what}: median {statistics.median(seconds) * 1000:.2f} ms, 99 % within {ninety_nine * 1000:.2f} ms")


def _delay(live: LiveAnswers, store: PostgresEventStore, library: Library, number: int) -> float:
    origin = Origin.new()
    metadata = Metadata(origin.event_id(0), origin.causation_id, origin.correlation_id)
    book = library.books[number % len(library.books)]
    [position] = store.append(encode(BookCopyLentToReader(book, book, occurred_at=datetime.now(UTC)), metadata))
    began = time.perf_counter()
    _wait(live, position)
    return time.perf_counter() - began


def _search(live: LiveAnswers) -> float:
    began = time.perf_counter()
    LiveBookSearchHandler(live).handle(Question("kleppm data", "free"))
    return time.perf_counter() - began


def _wait(live: LiveAnswers, position: int, pause: float = 0) -> None:
    while live.status(model).position < position:
        time.sleep(pause)


def _tell(what: str, events: int, seconds: float) -> None:
    print(f"{what}: {events:,} events in {seconds:.2f} s, {events / seconds:,.0f} a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
