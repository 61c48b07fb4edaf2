"""Questions answered from a kept state and what came after it. No slice knows of it.

The state of a slice's projection is kept under the slice's name, the projection's version and the boundary. So another
version finds nothing of the old one, and each copy, reader or course has a state of its own.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec

import eventstore
from eventstore import Filter, SequencedEvent, SnapshotStore, replayed
from eventstore.replay import EVENTS_WORTH_A_SNAPSHOT
from slices.codec import decode
from slices.domain_event import DomainEvent
from slices.questions import Answer, Projection, Replaying

E = TypeVar("E", bound=DomainEvent)
V = TypeVar("V")

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """Decorates the asking of questions: the answers are the same, long streams are read once.

    >>> BooksInCirculationHandler(Snapshotted(Replaying(store), PostgresSnapshotStore(pool))).handle()
    Answer(view=(BookInCirculation(…),), position=100012)

    A state is kept once that pays (see `eventstore.replayed`). What goes wrong with snapshots is logged and fails no
    question.

    Attributes:
        replaying: what is decorated. Questions that have no `Projection` are left to it.
        snapshots: where states are kept.
        save_after: how many events a question must have folded before its state is kept.
    """

    replaying: Replaying
    snapshots: SnapshotStore
    save_after: int = EVENTS_WORTH_A_SNAPSHOT

    def ask(self, boundary: Filter, project: Callable[[Iterable[E]], V]) -> Answer[V]:
        """See `Questions.ask`."""
        if not isinstance(project, Projection):
            return self.replaying.ask(boundary, project)
        projection = cast("Projection[Any, E, V]", project)
        found = replayed(
            self.replaying.store, self.snapshots, boundary, _stored(projection), save_after=self.save_after
        )
        for failure in found.failures:
            _LOG.warning("the snapshot of %s could not be used: %r", projection.name, failure)
        return Answer(projection.view(found.state), found.position)


@cache
def _stored(projection: Projection[Any, Any, Any]) -> eventstore.Projection[Any]:
    """The same projection for stored events and stored states."""

    def evolve(state: Any, event: SequencedEvent) -> Any:
        return projection.evolve(state, decode(event))

    decoder = msgspec.json.Decoder(projection.start)
    return eventstore.Projection(
        projection.name, projection.version, projection.start, evolve, msgspec.json.encode, decoder.decode
    )
