"""The history of a busy library, of any length and always the same for one length, as the store is primed with it.

For every copy there is a reader, seven lendings and seven returns: 16 events. A copy knows 15 events, a reader too, so
the boundary "this copy or this reader" of a pair that never met holds 30 events, spread over the whole log.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from slices.domain_event import DomainEvent
from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
)

LENDINGS_PER_COPY: Final = 7
EVENTS_PER_COPY: Final = 2 + 2 * LENDINGS_PER_COPY
FEWEST_EVENTS: Final = EVENTS_PER_COPY
MOST_EVENTS: Final = 20_000_000

_FIRST_EVENT: Final = datetime(2021, 1, 1, tzinfo=UTC)
_LAST_EVENT: Final = datetime(2025, 1, 1, tzinfo=UTC)
_ON_LOAN_AT_ONCE: Final = 20  # one copy in so many

_UUIDS_AT_ONCE: Final = 1000
_ENCODER: Final = msgspec.json.Encoder()
_TITLES: Final = (
    ("9780321125217", "Domain-Driven Design", "Eric Evans", "First Edition", "Addison-Wesley", 2003),
    ("9781449373320", "Designing Data-Intensive Applications", "Martin Kleppmann", "1st", "O'Reilly Media", 2017),
    ("9780201633610", "Design Patterns", "E. Gamma, R. Helm, R. Johnson, J. Vlissides", "1st", "Addison-Wesley", 1994),
    ("9780134757599", "Refactoring", "Martin Fowler", "Second Edition", "Addison-Wesley", 2018),
    (
        "9780262510875",
        "Structure and Interpretation of Computer Programs",
        "H. Abelson, G. Sussman",
        "2nd",
        "MIT",
        1996,
    ),
    ("9780141439518", "Pride and Prejudice", "Jane Austen", "Penguin Classics", "Penguin", 2002),
    ("9780142437247", "Moby-Dick", "Herman Melville", "Penguin Classics", "Penguin", 2002),
)
_FIRST_NAMES: Final = ("Ada", "Alan", "Barbara", "Edsger", "Grace", "Leslie", "Margaret", "Niklaus", "Radia")
_LAST_NAMES: Final = ("Abbott", "Bauer", "Costa", "Dubois", "Evans", "Ferrari", "García", "Hansen", "Ito", "Jansen")


class Pair(NamedTuple):
    """A copy and a reader."""

    book_id: str
    reader_id: str


@dataclass(frozen=True, slots=True)
class Library:
    """Copies and readers, and what happened with them until every copy was back on the shelf.

    Attributes:
        events: the length of the history.
        books: the copies; all are free at the end.
        readers: the readers; there may be a few more than copies, who have not borrowed yet.
    """

    events: int
    books: tuple[str, ...]
    readers: tuple[str, ...]

    @classmethod
    def of(cls, events: int) -> "Library":
        """The library that has a history of so many events.

        Raises:
            ValueError: for a history too short for one copy, or longer than a machine should be filled with.
        """
        if not FEWEST_EVENTS <= events <= MOST_EVENTS:
            raise ValueError(f"a history has {FEWEST_EVENTS} to {MOST_EVENTS:,} events, not {events}")
        copies, late_readers = divmod(events, EVENTS_PER_COPY)
        ids = uuids(random.Random(f"ids of {events}"))
        return cls(
            events,
            tuple(next(ids) for _ in range(copies)),
            tuple(next(ids) for _ in range(copies + late_readers)),
        )

    def history(self) -> Iterator[DomainEvent]:
        """Every event, in order."""
        moments = self._moments()
        for number, book in enumerate(self.books):
            yield _added(number, book, next(moments))
        for number, reader in enumerate(self.readers):
            name = f"{_FIRST_NAMES[number % len(_FIRST_NAMES)]} {_LAST_NAMES[number % len(_LAST_NAMES)]}"
            yield ReaderRegistered(reader_id=reader, name=name, occurred_at=next(moments))
        shuffling = random.Random(f"lendings of {self.events}")
        for _ in range(LENDINGS_PER_COPY):
            yield from self._season(shuffling, moments)

    def pairs(self, shuffling: random.Random) -> Iterator[Pair]:
        """Copies and readers in random order, without end; none comes twice before all have come once."""
        while True:
            for book, reader in self._shuffled(shuffling):
                yield Pair(book, reader)

    def copy_lines(self) -> Iterator[str]:
        """The history in the text format of COPY: event id, type, time, payload and metadata of an event a line."""
        ids = uuids(random.Random(f"events of {self.events}"))
        return (copy_line(event, next(ids), next(ids)) for event in self.history())

    def _season(self, shuffling: random.Random, moments: Iterator[datetime]) -> Iterator[DomainEvent]:
        """Every copy is lent once, each to another reader; at the end all are back."""
        most = max(1, len(self.books) // _ON_LOAN_AT_ONCE)
        on_loan: deque[tuple[str, str]] = deque()
        for book, reader in self._shuffled(shuffling):
            if len(on_loan) == most:
                yield _returned(*on_loan.popleft(), next(moments))
            yield BookCopyLentToReader(book_id=book, reader_id=reader, occurred_at=next(moments))
            on_loan.append((book, reader))
        for book, reader in on_loan:
            yield _returned(book, reader, next(moments))

    def _shuffled(self, shuffling: random.Random) -> Iterator[tuple[str, str]]:
        copies = len(self.books)
        borrowers = self.readers[:copies]
        return zip(shuffling.sample(self.books, copies), shuffling.sample(borrowers, copies), strict=True)

    def _moments(self) -> Iterator[datetime]:
        step = (_LAST_EVENT - _FIRST_EVENT) / self.events
        moment = _FIRST_EVENT
        while True:
            yield moment
            moment += step


def _added(number: int, book: str, moment: datetime) -> DomainEvent:
    isbn, title, authors, edition, publisher, year = _TITLES[number % len(_TITLES)]
    return BookCopyAddedToCirculation(
        book_id=book,
        isbn=isbn,
        title=title,
        authors=authors,
        edition=edition,
        publisher=publisher,
        publication_year=year,
        occurred_at=moment,
    )


def _returned(book: str, reader: str, moment: datetime) -> DomainEvent:
    return BookCopyReturnedByReader(book_id=book, reader_id=reader, occurred_at=moment)


def copy_line(event: DomainEvent, event_id: str, command_id: str) -> str:
    """An event in the text format of COPY: its id, type, time, payload and metadata."""
    payload = _ENCODER.encode(event).decode().replace("\\", "\\\\")
    occurred_at = _ENCODER.encode(event.occurred_at).decode().strip('"')  # much quicker than isoformat()
    return (
        f"{event_id}\t{event.TYPE}\t{occurred_at}\t{payload}\t"
        f'{{"MessageID":"{event_id}","CausationID":"{command_id}","CorrelationID":"{command_id}"}}\n'
    )


def uuids(bits: random.Random) -> Iterator[str]:
    """UUIDs of version 7 as text, a millisecond apart, always the same for the same source of randomness."""
    milliseconds = int(_FIRST_EVENT.timestamp() * 1000)
    while True:
        digits = bits.randbytes(9 * _UUIDS_AT_ONCE).hex()
        for start in range(0, len(digits), 18):
            time = f"{milliseconds:012x}"
            middle = start + 6
            yield (
                f"{time[:8]}-{time[8:]}-7{digits[start : start + 3]}"
                f"-a{digits[start + 3 : middle]}-{digits[middle : middle + 12]}"
            )
            milliseconds += 1
