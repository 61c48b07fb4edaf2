"""Two commands that meet: what each context's `races.py` lists, and how a race is run.

In a race the slower command asks first, the quicker one is carried out from beginning to end, and then the slower one
appends. So every race is the same each time, and it is known what the log must hold.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eventstore import EventStore, EventStream, Filter, FilterBuilder
from slices.codec import decode
from slices.command_loop import CommandLoop
from slices.domain_event import DomainEvent
from slices.origin import Origin
from slices.outcome import Outcome
from slices.testing import write
from tests.wrapped_store import WrappedStore

EVERYTHING = FilterBuilder().matching_any_event()

Command = Any
"""Of any slice."""


@dataclass(frozen=True, slots=True)
class Race:
    """Two commands that meet.

    Attributes:
        given: what happened before.
        quicker, slower: the two. The slower one has read before the quicker one wrote.
        log: what the two wrote, in order, refusals included.
        disturbed: whether the quicker one came between what the slower one read and what it wanted to write.
    """

    given: tuple[DomainEvent, ...]
    quicker: Command
    slower: Command
    log: tuple[DomainEvent, ...]
    disturbed: bool = True


@dataclass
class Interrupted(WrappedStore):
    """A store in which something happens once, between the first query and its answer's use."""

    meanwhile: Callable[[], Any] | None

    def query(self, filter: Filter, **options: Any) -> EventStream:
        stream = super().query(filter, **options)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return stream


@dataclass
class Narrowed(WrappedStore):
    """A store that is asked, and guarded, with another filter than the slice's own."""

    change: Callable[[Filter], Filter]

    def query(self, filter: Filter, **options: Any) -> EventStream:
        return super().query(self.change(filter), **options)


def slice_of(command: Command) -> str:
    """The name of the folder of a command."""
    return str(type(command).__module__).split(".")[2]


def carry_out(command: Command, store: EventStore) -> Outcome:
    """Let the slice's own handler decide."""
    package = type(command).__module__.rpartition(".")[0]
    handler = getattr(importlib.import_module(f"{package}.handler"), f"{type(command).__name__}Handler")
    outcome: Outcome = handler(CommandLoop(store)).handle(command, Origin.new())
    return outcome


def boundary_of(command: Command) -> Filter:
    """What the command's slice asks for."""
    package = type(command).__module__.rpartition(".")[0]
    boundary: Filter = importlib.import_module(f"{package}.decide").boundary(command)
    return boundary


def run(race: Race, store: EventStore, change: Callable[[Filter], Filter] = lambda boundary: boundary) -> Outcome:
    """Run a race in an empty store; the slower command's boundary may be changed. Returns what became of the slower."""
    write(store, *race.given)
    interrupted = Interrupted(store, lambda: carry_out(race.quicker, store))
    return carry_out(race.slower, Narrowed(interrupted, change))


def written(race: Race, store: EventStore) -> tuple[DomainEvent, ...]:
    """What the two commands of a race have put into the store."""
    return tuple(decode(event) for event in store.query(EVERYTHING))[len(race.given) :]
