"""The rules of registering: which events matter, what they tell, and what follows. No clock, no store, no web."""

from dataclasses import dataclass
from typing import Never, TypeAlias, assert_never

from eventstore import Filter, FilterBuilder, P
from slices.decision import Append, Decision, Nothing
from slices.domain_event import stored_types
from slices.lending.events import ReaderContractCanceled, ReaderRegistered
from slices.lending.register_reader.command import RegisterReader

Relevant: TypeAlias = ReaderRegistered | ReaderContractCanceled
Happens: TypeAlias = ReaderRegistered


def boundary(command: RegisterReader) -> Filter:
    """Whether this reader came and went."""
    return (
        FilterBuilder()
        .matching()
        .any_event_type_of(*stored_types(Relevant))
        .and_any_predicate_of(P("ReaderID", command.reader_id))
        .finalize()
    )


@dataclass(frozen=True, slots=True)
class State:
    """What one has to know about this reader."""

    registered: bool = False

    @classmethod
    def of(cls, _command: RegisterReader) -> "State":
        """Before anything happened."""
        return cls()


def evolve(_state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered():
            return State(registered=True)
        case ReaderContractCanceled():
            return State(registered=False)
        case _:
            assert_never(event)


def decide(state: State, command: RegisterReader) -> Decision[Happens, Never]:
    """The first rule that applies decides."""
    if state.registered:
        return Nothing()
    return Append(ReaderRegistered(command.reader_id, command.name, occurred_at=command.occurred_at))
