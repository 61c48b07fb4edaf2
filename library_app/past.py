"""The store and the clock as they were when a certain event was the newest: all that a page of the past is made of."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, ParamSpec, TypeVar

from flask import has_request_context, request

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    FilterBuilder,
    SequencedEvent,
    StorableEvent,
    Subscription,
)
from library_app.problems import RequestRefused
from slices.domain_event import DomainEvent
from slices.questions import Answer, Questions

E = TypeVar("E", bound=DomainEvent)
V = TypeVar("V")
P = ParamSpec("P")

AS_OF: Final = "library_app.as_of"
"""The key in the WSGI environment that says which event is the newest for a request."""

_NEWEST: Final = "library_app.newest_then"
_EVERYTHING: Final = FilterBuilder().matching_any_event()


class PastCannotBeChanged(RequestRefused):
    """Something was to be written in the past."""

    def __init__(self, number: int) -> None:
        detail = f"This is the past, as of event #{number}. What has happened cannot be changed."
        super().__init__(405, detail, {"Allow": "GET, HEAD"})


def as_of() -> int | None:
    """The number of the event that is the newest one for the current request; None in the present."""
    number = request.environ.get(AS_OF) if has_request_context() else None
    return number if isinstance(number, int) else None


def now_or_then(now: Callable[P, V], then: Callable[P, V]) -> Callable[P, V]:
    """Call the one in the present and the other in the past."""

    def either(*arguments: P.args, **named: P.kwargs) -> V:
        return (now if as_of() is None else then)(*arguments, **named)

    return either


@dataclass(frozen=True, slots=True)
class StoreThen:
    """A store that, in the past, knows nothing of what came later. It is an `EventStore`."""

    store: EventStore

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`. The past does not change: a replica that has got so far knows all of it."""
        ask = partial(self.store.query, _then(filter), limit=limit, backwards=backwards, at_least=at_least)
        number = as_of()
        if number is None:
            return ask(consistency=consistency)
        found = ask(consistency=Consistency.EVENTUAL)
        if found.position < number:
            found = ask(consistency=Consistency.STRONG)
        return replace(found, position=min(found.position, number))

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self.store.stream(_then(filter))

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`. What is yet to come has no past."""
        return self.store.subscribe(filter, after)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`.

        Raises:
            PastCannotBeChanged: the request is one of the past.
        """
        number = as_of()
        if number is not None:
            raise PastCannotBeChanged(number)
        return self.store.append(first, *more, condition=condition)

    def newest(self) -> SequencedEvent | None:
        """The newest event, looked up once per request; None if there was none yet."""
        if _NEWEST not in request.environ:
            request.environ[_NEWEST] = next(iter(self.query(_EVERYTHING, limit=1, backwards=True)), None)
        newest: SequencedEvent | None = request.environ[_NEWEST]
        return newest

    def head(self) -> int:
        """The number of the newest event in the present; 0 in an empty store."""
        return self.store.query(_EVERYTHING, limit=1).position


def _then(filter: Filter) -> Filter:
    number = as_of()
    if number is None:
        return filter
    return filter.as_of(number if filter.up_to is None else min(number, filter.up_to))


@dataclass(frozen=True, slots=True)
class QuestionsThen:
    """Asks `now` in the present and `then` in the past: a state that was kept may know what came later."""

    now: Questions
    then: Questions

    def ask(self, boundary: Filter, project: Callable[[Iterable[E]], V]) -> Answer[V]:
        """See `Questions.ask`."""
        return (self.now if as_of() is None else self.then).ask(boundary, project)


def clock_then(store: StoreThen, clock: Callable[[], datetime]) -> Callable[[], datetime]:
    """A clock that, in the past, stands at the time of the newest event: it tells what was overdue then."""

    def now() -> datetime:
        newest = None if as_of() is None else store.newest()
        return clock() if newest is None else newest.occurred_at

    return now
