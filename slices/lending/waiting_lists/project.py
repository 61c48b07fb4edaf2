"""From events to the waiting lists of all copies. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import BookCopyAddedToCirculation, ReaderRegistered
from slices.lending.waiting_list import NOBODY_WAITS, QueueEvent, WaitingList
from slices.questions import Projection

Relevant: TypeAlias = QueueEvent
RelevantToNames: TypeAlias = BookCopyAddedToCirculation | ReaderRegistered


@dataclass(frozen=True, slots=True)
class WaitingReader:
    """Somebody who waits for a copy, or for whom it lies ready."""

    reader_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class CopyInDemand:
    """A copy that somebody waits for, or that is held.

    Attributes:
        readers: first come, first served. Who has the copy held is still on the list.
        held_for, held_until: whose turn it is, and until when; None while the copy is not held.
    """

    book_id: str
    readers: tuple[WaitingReader, ...]
    held_for: WaitingReader | None
    held_until: datetime | None
    title: str = ""
    authors: str = ""

    def is_past_its_time(self, now: datetime) -> bool:
        """Whether the reader for whom the copy is held did not come in time. The last moment is in time."""
        return self.held_until is not None and self.held_until < now


@dataclass(slots=True)
class State:
    """The waiting lists by copy, in the order in which they began. A copy that nobody wants is not in it."""

    lists: dict[str, WaitingList] = field(default_factory=dict[str, WaitingList])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. Most copies are lent and nobody waits for them."""
    waiting = state.lists.get(event.book_id, NOBODY_WAITS).after(event)
    if waiting == NOBODY_WAITS:
        state.lists.pop(event.book_id, None)
    else:
        state.lists[event.book_id] = waiting
    return state


def view(state: State) -> tuple[CopyInDemand, ...]:
    """Held copies by the end of the hold, then those that readers wait for; ties in the order of the log."""
    copies = [_copy(book_id, waiting) for book_id, waiting in state.lists.items()]
    return tuple(sorted(copies, key=lambda copy: copy.held_until or _AT_THE_END))


project: Final = Projection("waiting_lists", version=1, start=State, evolve=evolve, view=view)

_AT_THE_END: Final = datetime.max.replace(tzinfo=UTC)


def with_names(copies: Iterable[CopyInDemand], history: Iterable[RelevantToNames]) -> tuple[CopyInDemand, ...]:
    """The copies with what was on record when they were added (last), and the readers with their (last) names."""
    books: dict[str, BookCopyAddedToCirculation] = {}
    names: dict[str, str] = {}
    for event in history:
        match event:
            case BookCopyAddedToCirculation():
                books[event.book_id] = event
            case ReaderRegistered():
                names[event.reader_id] = event.name
            case _:
                assert_never(event)
    return tuple(_named(copy, books.get(copy.book_id), names) for copy in copies)


def _copy(book_id: str, waiting: WaitingList) -> CopyInDemand:
    held_for = None if waiting.held_for is None else WaitingReader(waiting.held_for)
    readers = tuple(WaitingReader(reader_id) for reader_id in waiting.readers)
    return CopyInDemand(book_id, readers, held_for, waiting.held_until)


def _named(copy: CopyInDemand, book: BookCopyAddedToCirculation | None, names: dict[str, str]) -> CopyInDemand:
    def named(reader: WaitingReader) -> WaitingReader:
        return replace(reader, name=names.get(reader.reader_id, ""))

    return replace(
        copy,
        readers=tuple(map(named, copy.readers)),
        held_for=copy.held_for and named(copy.held_for),
        title=book.title if book else "",
        authors=book.authors if book else "",
    )
