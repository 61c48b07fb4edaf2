"""A peer: the PostgreSQL recorder for dynamic consistency boundaries of the package `eventsourcing`, version 9.5.

https://eventsourcing.readthedocs.io. Made through its own factory, with the settings that it recommends by default, and
a pool of one connection, as ours has.
"""

import random
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from importlib.metadata import version
from typing import Any, Final, LiteralString, NamedTuple, cast

import msgspec
import psycopg
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem, DCBRecorder, DCBSequencedEvent
from eventsourcing.dcb.persistence import DCBInfrastructureFactory
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import Environment
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from benchmarks.library_log import Library, Pair
from benchmarks.sampling import Measured, OnRound
from benchmarks.server import CannotMeasure
from eventstore import EventStore, FilterBuilder
from slices.codec import EVENT_CLASSES, decode
from slices.decision import Append
from slices.domain_event import DomainEvent, json_key, stored_types
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import Relevant, RelevantToBoth, RelevantToHold, State, decide, evolve

QUERY: Final = "query, peer"
APPEND: Final = "append, peer"
TYPICAL_WORKLOAD: Final = "typical workload, peer"
NAME: Final = f"eventsourcing {version('eventsourcing')}"

_MODULE: Final = "eventsourcing.dcb.postgres_tt"
_TAGS: Final = ("book_id", "reader_id")
_MOST_LENT_PAIRS: Final = 1000
_OF_BOTH: Final = [*stored_types(RelevantToBoth)]
_OF_HOLD: Final = [*stored_types(RelevantToHold)]
_EVERYTHING: Final = FilterBuilder().matching_any_event()
_DECODERS: Final = {name: msgspec.json.Decoder(event_class) for name, event_class in EVENT_CLASSES.items()}

# As its own function fills the two tables, but in one go.
_COPY: Final[LiteralString] = "COPY dcb_events_tt_main (type, data, tags) FROM STDIN"
_FILL_TAGS: Final[LiteralString] = """
INSERT INTO dcb_events_tt_tag (tag, main_id)
SELECT tag, id FROM dcb_events_tt_main, unnest(tags) AS tag ORDER BY id
"""


class Asked(NamedTuple):
    """A pair that the rules allow to meet, by what the peer has stored.

    Attributes:
        command: what is asked for.
        query: its boundary.
        found: the events of it.
        head: the newest event of the peer's store.
        lent: what the rules answer.
    """

    command: LendBookToReader
    query: DCBQuery
    found: list[DCBSequencedEvent]
    head: int
    lent: BookCopyLentToReader


@contextmanager
def peer_with_events_of(
    dsn: str, store: EventStore, library: Library, on_event: OnRound = lambda: None
) -> Generator["Peer"]:
    """A recorder of the peer that holds what our store holds, in a database of its own that is dropped at the end.

    It is filled by COPY: its schema allows that, and to append event by event would take as many transactions.

    Args:
        dsn: of a server on which databases can be made.
        store: ours.
        library: whose history it is.
        on_event: is called after each event that was copied.
    """
    name = f"benchmark_peer_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        try:
            with psycopg.connect(make_conninfo(dsn, dbname=name), autocommit=True) as connection:
                factory = DCBInfrastructureFactory.construct(_environment(connection))
                with factory:
                    recorder = factory.dcb_recorder()
                    _load(connection, store, on_event)
                    yield Peer(recorder, library)
        finally:
            owner.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@dataclass
class Peer:
    """What is measured with the peer: the same decisions as with our store.

    Attributes:
        recorder: of the peer.
        library: whose history it holds.
    """

    recorder: DCBRecorder
    library: Library

    def __post_init__(self) -> None:
        self._pairs: Iterator[Pair] = self.library.pairs(random.Random())

    def things(self) -> tuple[Measured[Any, Any], ...]:
        """What is measured."""
        return (
            Measured(QUERY, self.free_loan, lambda asked: self._read(asked.query), self._same_events),
            Measured(
                APPEND, self.free_loan, lambda asked: self._append(asked.lent, asked.query, asked.head), self._done
            ),
            Measured(TYPICAL_WORKLOAD, self.free_loan, lambda asked: self._lend(asked.command), self._done),
        )

    def free_loan(self) -> Asked:
        """Find a pair that may meet, by asking the rules; so the pages that hold its events are in memory.

        Raises:
            CannotMeasure: nobody may lend anything.
        """
        for _ in range(_MOST_LENT_PAIRS):
            pair = next(self._pairs)
            command = LendBookToReader(pair.book_id, pair.reader_id, datetime.now(UTC))
            query = query_of(command)
            found, head = self._read(query)
            with suppress(CannotMeasure):  # a copy that an interrupted run left lent in the store that was copied
                return Asked(command, query, found, head, _decided(found, command))
        raise CannotMeasure("every copy is lent; prime the store again with --fresh")

    def _read(self, query: DCBQuery) -> tuple[list[DCBSequencedEvent], int]:
        answer = self.recorder.read(query)
        return list(answer), answer.head or 0

    def _append(self, event: DomainEvent, query: DCBQuery, head: int) -> int:
        try:
            return self.recorder.append([dcb_event(event)], DCBAppendCondition(query, after=head))
        except IntegrityError as error:
            raise CannotMeasure("somebody else writes to the store of the peer") from error

    def _lend(self, command: LendBookToReader) -> int:
        query = query_of(command)
        found, head = self._read(query)
        return self._append(_decided(found, command), query, head)

    def _same_events(self, asked: Asked, answer: tuple[list[DCBSequencedEvent], int]) -> None:
        found, _ = answer
        assert [event.position for event in found] == [event.position for event in asked.found]

    def _done(self, asked: Asked, number: int) -> None:
        assert number == asked.head + 1
        command = asked.command
        returned = BookCopyReturnedByReader(command.book_id, command.reader_id, occurred_at=datetime.now(UTC))
        self.recorder.append([dcb_event(returned)])


def query_of(command: LendBookToReader) -> DCBQuery:
    """The boundary of LendBookToReader as the peer asks for it: "any of these tags" is an item for each tag."""
    book, reader = f"BookID:{command.book_id}", f"ReaderID:{command.reader_id}"
    return DCBQuery([DCBQueryItem(_OF_BOTH, [book]), DCBQueryItem(_OF_BOTH, [reader]), DCBQueryItem(_OF_HOLD, [book])])


def dcb_event(event: DomainEvent) -> DCBEvent:
    """An event of ours as the peer stores it: type, payload, tags. It keeps no id and no metadata."""
    values = ((json_key(name), getattr(event, name, None)) for name in _TAGS)
    tags = [f"{key}:{value}" for key, value in values if value is not None]
    return DCBEvent(type=event.TYPE, data=msgspec.json.encode(event), tags=tags)


def _decided(found: list[DCBSequencedEvent], command: LendBookToReader) -> BookCopyLentToReader:
    history = (cast("Relevant", _DECODERS[each.event.type].decode(each.event.data)) for each in found)
    match decide(reduce(evolve, history, State.of(command)), command):
        case Append((BookCopyLentToReader() as lent,)):
            return lent
        case other:
            raise CannotMeasure(f"the rules answer {other}")


def _environment(connection: Connection[Any]) -> Environment:
    server = connection.info
    return Environment(
        "",
        {
            "PERSISTENCE_MODULE": _MODULE,
            "POSTGRES_DBNAME": server.dbname,
            "POSTGRES_HOST": server.host,
            "POSTGRES_PORT": str(server.port),
            "POSTGRES_USER": server.user,
            "POSTGRES_PASSWORD": server.password,
            "POSTGRES_POOL_SIZE": "1",
            "POSTGRES_MAX_OVERFLOW": "0",
        },
    )


def _load(connection: Connection[Any], store: EventStore, on_event: OnRound) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            copy.set_types(["text", "bytea", "text[]"])
            for stored in store.stream(_EVERYTHING):
                event = dcb_event(decode(stored))
                copy.write_row((event.type, event.data, event.tags))
                on_event()
        cursor.execute(_FILL_TAGS)
        cursor.execute("VACUUM (ANALYZE) dcb_events_tt_main, dcb_events_tt_tag")
