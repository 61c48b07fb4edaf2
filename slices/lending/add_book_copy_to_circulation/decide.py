"""The rules of adding a copy: which events matter, what they tell, and what follows. No clock, no store, no web."""

from typing import Never, TypeAlias, assert_never

from msgspec import Struct

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing
from slices.domain_event import stored_types
from slices.lending.add_book_copy_to_circulation.command import AddBookCopyToCirculation
from slices.lending.events import BookCopyAddedToCirculation, BookCopyRemovedFromCirculation

Relevant: TypeAlias = BookCopyAddedToCirculation | BookCopyRemovedFromCirculation
Happens: TypeAlias = BookCopyAddedToCirculation


def boundary(command: AddBookCopyToCirculation) -> Filter:
    """Whether this copy came and went."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("BookID", command.book_id))
        .finalize()
    )


class State(Struct, frozen=True):
    """What one has to know about this copy."""

    in_circulation: bool = False

    @classmethod
    def of(cls, _command: AddBookCopyToCirculation) -> "State":
        """Before anything happened."""
        return cls()


def evolve(_state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case BookCopyAddedToCirculation():
            return State(in_circulation=True)
        case BookCopyRemovedFromCirculation():
            return State(in_circulation=False)
        case _:
            assert_never(event)


def decide(state: State, command: AddBookCopyToCirculation) -> Decision[Happens, Never]:
    """The first rule that applies decides."""
    if state.in_circulation:
        return Nothing()
    return Append(
        BookCopyAddedToCirculation(
            book_id=command.book_id,
            isbn=command.isbn,
            title=command.title,
            authors=command.authors,
            edition=command.edition,
            publisher=command.publisher,
            publication_year=command.publication_year,
            occurred_at=command.occurred_at,
        )
    )
