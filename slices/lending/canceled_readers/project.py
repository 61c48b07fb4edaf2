"""From events to the list of former readers. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias, assert_never

from slices.lending.events import ReaderContractCanceled, ReaderRegistered
from slices.questions import Projection

Relevant: TypeAlias = ReaderRegistered | ReaderContractCanceled


@dataclass(frozen=True, slots=True)
class CanceledReader:
    """Somebody who may no longer borrow books."""

    reader_id: str
    name: str
    canceled_at: datetime


@dataclass(slots=True)
class State:
    """The names of the registered readers by id, and the former readers by id, in the order of the log."""

    registered: dict[str, str] = field(default_factory=dict[str, str])
    canceled: dict[str, CanceledReader] = field(default_factory=dict[str, CanceledReader])


def evolve(state: State, event: Relevant) -> State:
    """What is known after one more event. A contract ends once: the first time counts."""
    match event:
        case ReaderRegistered(reader_id=reader_id, name=name):
            state.registered[reader_id] = name
            state.canceled.pop(reader_id, None)
        case ReaderContractCanceled(reader_id=reader_id, occurred_at=canceled_at) if reader_id in state.registered:
            name = state.registered.pop(reader_id)
            state.canceled[reader_id] = CanceledReader(reader_id, name, canceled_at)
        case ReaderContractCanceled():
            pass
        case _:
            assert_never(event)
    return state


def view(state: State) -> tuple[CanceledReader, ...]:
    """Former readers by the end of their contract; ties in the order of the log."""
    return tuple(sorted(state.canceled.values(), key=lambda reader: reader.canceled_at))


project: Final = Projection("canceled_readers", version=1, start=State, evolve=evolve, view=view)
