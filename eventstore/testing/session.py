"""A caller of the store who takes part in a schedule."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

from eventstore.errors import ConcurrencyConflict
from eventstore.events import StorableEvent
from eventstore.filters import Filter
from eventstore.store import AppendCondition, EventStream
from eventstore.testing.gates import Gate
from eventstore.testing.interleaving import Actor, Interleaving, Stuck, in_words
from eventstore.testing.oracle import Claim
from eventstore.testing.port import RaceStore


class NotHeld(Exception):
    """An append was acknowledged without passing a gate that was closed for it, so nothing was examined."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a session saw at one moment."""

    session: str
    stream: EventStream


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """An append of a session. What came of it may only be asked when it is finished.

    Attributes:
        session: who appends.
        events: the batch.
        condition: what it is guarded by, if it is.
        result: the numbers, or why there are none.
    """

    session: str
    events: tuple[StorableEvent, ...]
    condition: AppendCondition | None
    result: "Future[list[int]]"

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events if it was acknowledged, else none."""
        return [] if self.result.exception() else self.result.result()

    @property
    def was_refused(self) -> bool:
        """True if its guard refused it."""
        return isinstance(self.result.exception(), ConcurrencyConflict)

    @property
    def error(self) -> BaseException | None:
        """Why there are no numbers, if it was not refused."""
        return None if self.was_refused else self.result.exception()


class Session:
    """One caller. Every step returns when everybody has settled.

    Args:
        name: a letter.
        store: reached through connections of this session alone.
        interleaving: what it takes part in.
    """

    def __init__(self, name: str, store: RaceStore, interleaving: Interleaving) -> None:
        self.name = name
        self.attempts: list[Attempt] = []
        self.readings: list[Reading] = []
        self.died = False
        self._actor = Actor(name)
        self._store = store
        self._interleaving = interleaving
        interleaving.enter(self._actor)

    def query(self, filter: Filter) -> EventStream:
        """Read a dynamic event stream.

        Raises:
            Stuck: the query waits for somebody, which no reader ever should.
        """
        reading = self._interleaving.begin(
            self._actor,
            "",
            lambda: self._store.query(filter),
            lambda read: f"reads to {read.result().position}",
        )
        if not reading.done():
            raise Stuck(f"a query of {self.name} waits for an append")
        self.readings.append(Reading(self.name, reading.result()))
        return reading.result()

    def append(
        self, claim: Claim, seen: EventStream | None = None, *, size: int = 1, until: Gate | None = None
    ) -> Attempt:
        """Append a claim.

        Args:
            claim: what is claimed.
            seen: what the decision is based on; None appends without a condition.
            size: how many events the batch has.
            until: where to hold the session.

        Raises:
            NotHeld: it was acknowledged without coming by there.
        """
        condition = None if seen is None else seen.append_condition
        return self._append(claim.batch(self.name, seen, datetime.now(UTC), size), condition, until)

    def repeat(self, attempt: Attempt) -> Attempt:
        """Append the very same events under the same condition, as a client does that has got no answer."""
        return self._append(attempt.events, attempt.condition, None)

    def resume(self, *, until: Gate | None = None) -> None:
        """Go on from the gate, to the end or to the next one. Does nothing if the append did not get as far."""
        if self._actor.work is not None:
            self._interleaving.resume(self._actor, until)

    def die(self) -> None:
        """Lose the connection in the middle of the append."""
        self.died = True
        self._interleaving.kill(self._actor)

    def _append(
        self, events: tuple[StorableEvent, ...], condition: AppendCondition | None, until: Gate | None
    ) -> Attempt:
        self._interleaving.close(self._actor, until)
        words = "append()" if condition is None else f"append({condition.after})"
        result = self._interleaving.begin(
            self._actor,
            words,
            lambda: self._store.append(events[0], *events[1:], condition=condition),
            self._outcome,
        )
        attempt = Attempt(self.name, events, condition, result)
        self.attempts.append(attempt)
        if until is not None and result.done() and attempt.numbers:
            raise NotHeld(f"{self.name} appended without being held {until}")
        return attempt

    def _outcome(self, result: "Future[list[int]]") -> str:
        error = result.exception()
        if error is None:
            return f"stores {in_words(result.result())}"
        if self.died:
            return "gone"
        return "refused" if isinstance(error, ConcurrencyConflict) else "fails"
