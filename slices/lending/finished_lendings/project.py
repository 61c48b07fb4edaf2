"""From events to the lendings that are over. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias, assert_never

from slices.lending.events import (
    BookCopyAddedToCirculation,
    BookCopyLentToReader,
    BookCopyReturnedByReader,
    ReaderRegistered,
)
from slices.questions import Projection

Relevant: TypeAlias = BookCopyAddedToCirculation | BookCopyLentToReader | BookCopyReturnedByReader | ReaderRegistered
Order: TypeAlias = Literal["newest", "oldest"]


@dataclass(frozen=True, slots=True)
class FinishedLending:
    """A copy was with a reader, and came back. Title and name are those of the time at which it did."""

    book_id: str
    title: str
    reader_id: str
    reader_name: str
    lent_at: datetime
    returned_at: datetime


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some of the finished lendings, in the order asked for, and how many there are."""

    total: int
    lendings: tuple[FinishedLending, ...]


@dataclass(frozen=True, slots=True)
class OpenLending:
    """A copy is with a reader."""

    reader_id: str
    lent_at: datetime


@dataclass(slots=True)
class State:
    """All finished lendings in the order of the log, the open ones by copy, and what copies and readers are called."""

    finished: list[FinishedLending] = field(default_factory=list[FinishedLending])
    open: dict[str, OpenLending] = field(default_factory=dict[str, OpenLending])
    titles: dict[str, str] = field(default_factory=dict[str, str])
    names: dict[str, str] = field(default_factory=dict[str, str])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case BookCopyAddedToCirculation(book_id=book_id, title=title):
            state.titles[book_id] = title
        case ReaderRegistered(reader_id=reader_id, name=name):
            state.names[reader_id] = name
        case BookCopyLentToReader(book_id=book_id, reader_id=reader_id, occurred_at=lent_at):
            state.open[book_id] = OpenLending(reader_id, lent_at)
        case BookCopyReturnedByReader():
            lending = state.open.pop(event.book_id, None)
            if lending is not None:
                state.finished.append(_finished(state, lending, event))
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[FinishedLending, ...]:
    """All finished lendings by the time of the return; ties in the order of the log."""
    return tuple(sorted(state.finished, key=lambda lending: lending.returned_at))


project: Final = Projection("finished_lendings", version=1, start=State, evolve=evolve, view=view)


def excerpt(finished: tuple[FinishedLending, ...], order: Order, limit: int) -> Excerpt:
    """At most `limit` of the view, from its end or from its beginning. Newest first is oldest first, read backwards."""
    lendings = finished[::-1][:limit] if order == "newest" else finished[:limit]
    return Excerpt(len(finished), lendings)


def _finished(state: State, lending: OpenLending, event: BookCopyReturnedByReader) -> FinishedLending:
    return FinishedLending(
        book_id=event.book_id,
        title=state.titles.get(event.book_id, ""),
        reader_id=lending.reader_id,
        reader_name=state.names.get(lending.reader_id, ""),
        lent_at=lending.lent_at,
        returned_at=event.occurred_at,
    )
