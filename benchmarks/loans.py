"""Loans that the rules allow, found in a primed store; what is lent while a clock runs is returned afterwards."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce
from typing import Final, NamedTuple, cast

from benchmarks.library_log import Library, Pair
from benchmarks.server import CannotMeasure
from eventstore import EventStore, EventStream, Filter, FilterBuilder, P, StorableEvent
from slices.codec import Metadata, decode, encode
from slices.decision import Append
from slices.domain_event import DomainEvent, stored_types
from slices.lending.events import BookCopyLentToReader, BookCopyReturnedByReader
from slices.lending.lend_book_to_reader.command import LendBookToReader
from slices.lending.lend_book_to_reader.decide import Relevant, State, boundary, decide, evolve
from slices.origin import Origin

_MOST_LENT_PAIRS: Final = 1000


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


class Armful(NamedTuple):
    """Several copies that one reader may take home at once.

    Attributes:
        loans: one for each copy.
        stream: the events of all these copies and of the reader, just queried.
    """

    loans: tuple[Loan, ...]
    stream: EventStream

    @property
    def events(self) -> tuple[StorableEvent, ...]:
        """What is to be stored, in one batch."""
        return tuple(loan.event for loan in self.loans)


class Lending:
    """The desk of a library whose history is in a store. Nobody else may write to it meanwhile.

    Args:
        store: holds the history.
        library: whose history it is.
        shuffling: decides who comes next.
    """

    def __init__(self, store: EventStore, library: Library, shuffling: random.Random) -> None:
        self._store = store
        self._pairs: Iterator[Pair] = library.pairs(shuffling)

    def free_loan(self) -> Loan:
        """Find a pair that may meet, by asking the rules.

        Raises:
            CannotMeasure: nobody may lend anything; the store is not what priming made.
        """
        for _ in range(_MOST_LENT_PAIRS):
            loan = self._loan(next(self._pairs))
            if loan is not None:  # else left behind by a run that was interrupted
                return loan
        raise CannotMeasure("every copy is lent; prime the store again with --fresh")

    def free_armful(self, copies: int) -> Armful:
        """Find a reader, and so many copies that may be lent to them.

        Raises:
            CannotMeasure: there are not as many.
        """
        loans = {(first := self.free_loan()).command.book_id: first}
        reader = first.command.reader_id
        for _ in range(_MOST_LENT_PAIRS):
            if len(loans) == copies:
                return Armful(tuple(loans.values()), self._store.query(_boundary_of(reader, *loans)))
            loan = self._loan(Pair(next(self._pairs).book_id, reader))
            if loan is not None:
                loans[loan.command.book_id] = loan
        raise CannotMeasure(
            f"there are no {copies} copies for one reader; prime a longer history, or again with --fresh"
        )

    def give_back(self, *loans: Loan) -> None:
        """Return what was lent."""
        for loan in loans:
            command = loan.command
            now = datetime.now(UTC)
            self._store.append(
                storable(
                    BookCopyReturnedByReader(book_id=command.book_id, reader_id=command.reader_id, occurred_at=now)
                )
            )

    def _loan(self, pair: Pair) -> Loan | None:
        command = LendBookToReader(book_id=pair.book_id, reader_id=pair.reader_id, occurred_at=datetime.now(UTC))
        stream = self._store.query(boundary(command))
        history = (cast("Relevant", decode(event)) for event in stream)
        match decide(reduce(evolve, history, State.of(command)), command):
            case Append((BookCopyLentToReader() as lent,)):
                return Loan(command, stream, storable(lent))
            case _:
                return None


def check_alone(undisturbed: bool) -> None:
    """Stop a run whose numbers somebody else's appends would spoil."""
    if not undisturbed:
        raise CannotMeasure("somebody else writes to this store")


def storable(event: DomainEvent) -> StorableEvent:
    """An event as the application writes it."""
    origin = Origin.new()
    return encode(event, Metadata(origin.event_id(0), origin.causation_id, origin.correlation_id))


def _boundary_of(reader: str, *books: str) -> Filter:
    copies = (P("BookID", book) for book in books)
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("ReaderID", reader), *copies)
        .finalize()
    )
