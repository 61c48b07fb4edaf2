"""From events to the list of readers. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import ReaderContractCanceled, ReaderRegistered
from slices.questions import Projection

Relevant: TypeAlias = ReaderRegistered | ReaderContractCanceled


@dataclass(frozen=True, slots=True)
class RegisteredReader:
    """Somebody who may borrow books."""

    reader_id: str
    name: str
    registered_at: datetime


@dataclass(slots=True)
class State:
    """The registered readers by id, in the order of the log."""

    readers: dict[str, RegisteredReader] = field(default_factory=dict[str, RegisteredReader])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event."""
    match event:
        case ReaderRegistered():
            state.readers.pop(event.reader_id, None)
            state.readers[event.reader_id] = RegisteredReader(event.reader_id, event.name, event.occurred_at)
        case ReaderContractCanceled():
            state.readers.pop(event.reader_id, None)
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[RegisteredReader, ...]:
    """Readers by the time of their registration, the latest one if they came back; ties in the order of the log."""
    return tuple(sorted(state.readers.values(), key=lambda reader: reader.registered_at))


project: Final = Projection("registered_readers", version=1, start=State, evolve=evolve, view=view)
