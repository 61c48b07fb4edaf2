"""Given these events, when this command comes, then this happens: tests that read like a librarian's sentence.

    given = Rules(boundary, State.of, evolve, decide).given

    def test_a_copy_is_lent_once() -> None:
        given(ADDED, ANN, BOB, LENT_TO_ANN).when(LEND_TO_BOB).then_rejected(BookAlreadyLent)

The rules run as in production: given events go through the codec into a store and come back by the slice's own
boundary. An event that the boundary does not find is an error of the test, or of the boundary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar, cast

from eventstore import EventStore, Filter, InMemoryEventStore, StorableEvent
from slices.codec import Metadata, decode, encode
from slices.decision import AnyDecision, Append, Nothing, Reject, Rejection
from slices.domain_event import DomainEvent
from slices.origin import Origin

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E", bound=DomainEvent)


def encoded(event: DomainEvent) -> StorableEvent:
    """The event as a store takes it, of an origin of its own.

    >>> store.append(encoded(LENT_TO_ANN), condition=read.append_condition)
    """
    origin = Origin.new()
    return encode(event, Metadata(origin.event_id(0), origin.causation_id, origin.correlation_id))


def write(store: EventStore, *events: DomainEvent) -> None:
    """Put events into a store, one after the other and whatever it holds: as if each had a command of its own.

    >>> write(store, ADDED, LENT_TO_ANN)
    """
    for event in events:
        store.append(encoded(event))


def stored(*events: DomainEvent) -> InMemoryEventStore:
    """A new store that holds these events.

    >>> BooksInCirculationHandler(Replaying(stored(ADDED, LENT_TO_ANN))).handle().view
    """
    store = InMemoryEventStore()
    write(store, *events)
    return store


@dataclass(frozen=True, slots=True)
class Rules(Generic[C, S, E]):
    """The pure part of a slice, bound once per test module."""

    boundary: Callable[[C], Filter]
    start: Callable[[C], S]
    evolve: Callable[[S, E], S]
    decide: Callable[[S, C], AnyDecision]

    def given(self, *events: E) -> "Given[C, S, E]":
        """What happened before, in order. No events: nothing did."""
        return Given(self, events)


@dataclass(frozen=True, slots=True)
class Given(Generic[C, S, E]):
    """A history."""

    rules: Rules[C, S, E]
    events: tuple[E, ...]

    def when(self, command: C) -> "Then":
        """Let the command decide.

        Raises:
            AssertionError: if a given event lies outside the boundary of this command.
        """
        boundary = self.rules.boundary(command)
        found = tuple(cast("E", decode(event)) for event in stored(*self.events).query(boundary))
        if found != self.events:
            outside = [event for event in self.events if event not in found]
            raise AssertionError(
                f"given, but outside the boundary of {command}: {outside}. The boundary is: {boundary}"
            )
        return Then(self.rules.decide(reduce(self.rules.evolve, found, self.rules.start(command)), command))


@dataclass(frozen=True, slots=True)
class Then:
    """What was decided, to be compared with what should have been."""

    decision: AnyDecision

    def then(self, first: DomainEvent, /, *more: DomainEvent) -> None:
        """Exactly these events happen, in this order."""
        self._expect(Append(first, *more))

    def then_nothing(self) -> None:
        """It is the case already: success, no event."""
        self._expect(Nothing())

    def then_rejected(self, reason: Rejection | type[Rejection]) -> "Rejected":
        """It is refused for this reason; a class stands for any value of it."""
        decision = self.decision
        if isinstance(decision, Reject) and reason in (decision.reason, type(decision.reason)):
            return Rejected(decision)
        raise AssertionError(f"expected a rejection, {reason}, but decided: {decision}")

    def _expect(self, expected: AnyDecision) -> None:
        if self.decision != expected:
            raise AssertionError(f"expected {expected}, but decided: {self.decision}")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal, and what it leaves behind."""

    decision: Reject[Rejection]

    def recorded_as(self, failure_event: DomainEvent) -> None:
        """The refusal is on record as this event."""
        if self.decision.failure_event != failure_event:
            raise AssertionError(f"expected the record {failure_event}, but it is {self.decision.failure_event}")

    def unrecorded(self) -> None:
        """The refusal leaves no event."""
        if self.decision.failure_event is not None:
            raise AssertionError(f"expected no record of the refusal, but there is {self.decision.failure_event}")
