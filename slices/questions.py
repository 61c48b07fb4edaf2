"""The way of every question: query, decode, project. No guard, because nothing is written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from eventstore import EventStore, Filter
from slices.codec import decode
from slices.domain_event import DomainEvent

E = TypeVar("E", bound=DomainEvent)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Answer(Generic[V]):
    """What was asked for, and how fresh it is.

    Attributes:
        view: what the projection made of the events.
        position: the head of the store in the snapshot that was read: everything up to here is in the view.
    """

    view: V
    position: int


def ask(store: EventStore, boundary: Filter, project: Callable[[Iterable[E]], V]) -> Answer[V]:
    """Answer a question from its own dynamic stream, read in sequence order."""
    stream = store.query(boundary)
    # The boundary asks for the very types that `project` takes; each slice has a test that holds them together.
    return Answer(project(cast("E", decode(event)) for event in stream), stream.position)
