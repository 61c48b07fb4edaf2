"""The way of every question: query, decode, fold, show. No guard, because nothing is written.

question ──► query ──► evolve, event by event ──► view ──► Answer
                          ▲
                          └── from the beginning (`Replaying`), or from a state that was kept (`Snapshotted`)
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, Protocol, TypeVar, cast

from eventstore import EventStore, Filter
from slices.codec import decode
from slices.domain_event import DomainEvent

S = TypeVar("S")
E = TypeVar("E", bound=DomainEvent)
V = TypeVar("V")


@dataclass(frozen=True)  # with slots, Projection[…](…) fails in Python 3.11
class Projection(Generic[S, E, V]):
    """How a read slice makes its view of events. Called with a history, it shows the whole.

    >>> project = Projection("registered_readers", version=1, start=State, evolve=evolve, view=view)
    >>> project([ReaderRegistered(…)])
    (RegisteredReader(…),)

    Attributes:
        name: of the slice.
        version: to be raised whenever `start` or `evolve` changes: states that another version kept are never used.
            A test knows what each version looked like.
        start: the class of the state; without arguments it is what is known before the first event. It consists of
            what msgspec can write and read: dataclasses, dicts, lists, texts, numbers, times.
        evolve: the state after one more event. It may change the given state and return it.
        view: what the state tells. It leaves the state as it is.
    """

    name: str
    version: int
    start: type[S]
    evolve: Callable[[S, E], S]
    view: Callable[[S], V]

    def __call__(self, history: Iterable[E]) -> V:
        """The view of these events, in the order of the log."""
        return self.view(reduce(self.evolve, history, self.start()))


@dataclass(frozen=True, slots=True)
class Answer(Generic[V]):
    """What was asked for, and how fresh it is.

    Attributes:
        view: what the projection made of the events.
        position: the head of the store in the snapshot that was read: everything up to here is in the view.
    """

    view: V
    position: int


class Questions(Protocol):
    """What the handlers of read slices ask."""

    def ask(self, boundary: Filter, project: Callable[[Iterable[E]], V]) -> Answer[V]:
        """Answer a question from its own dynamic stream, read in sequence order.

        Args:
            boundary: the events that the answer depends on.
            project: makes the view. If it is a `Projection`, its state may be kept and continued later; any other
                function is shown the whole stream each time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Replaying:
    """Answers from all events of the stream, each time.

    >>> RegisteredReadersHandler(Replaying(store)).handle()
    Answer(view=(RegisteredReader(…),), position=7)
    """

    store: EventStore

    def ask(self, boundary: Filter, project: Callable[[Iterable[E]], V]) -> Answer[V]:
        """See `Questions.ask`."""
        stream = self.store.query(boundary)
        # The boundary asks for the very types that `project` takes; each slice has a test that holds them together.
        return Answer(project(cast("E", decode(event)) for event in stream), stream.position)
