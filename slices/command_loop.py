"""The way of every command: query, fold, decide, append with the same filter. The only place that retries.

               ┌──────────────── conflict: wait, then start again from the query ───────────────┐
               ▼                                                                                │
command ──► query ──► fold ──► decide ──► Append ──► append, guarded by the filter of the query ┴─► Outcome
                                  ├─────► Nothing ──────────────────────────────────────────────► Outcome
                                  └─────► Reject ──► append the failure event, unguarded ───────► Outcome

outcome of an append unknown: the same append, with the same event ids, until it is known
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar, cast

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventStore,
    EventStream,
    Filter,
    SequencedEvent,
    StoreUnavailable,
)
from slices.codec import Metadata, decode, encode
from slices.decision import AnyDecision, Append, Nothing, Reject
from slices.domain_event import DomainEvent
from slices.origin import Origin
from slices.outcome import Attempt, Conflict, Outcome, Report, StoredEvent

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E", bound=DomainEvent)


class TooMuchContention(Exception):
    """Others kept changing what the command depends on. Nothing was written; sending it again later is safe."""

    def __init__(self, report: Report) -> None:
        last = report.conflicts[-1]
        super().__init__(
            f"given up after {len(report.attempts)} attempts, the last because of event {last.sequence_number}"
            f" ({last.event_type})"
        )
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a command keeps trying. Times are in seconds.

    A pause is drawn evenly from zero up to a bound that doubles from `first_pause` to `longest_pause` ("full
    jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): writers that met once should
    not meet again.

    Attributes:
        attempts: rounds of query, decide and append before `TooMuchContention`.
        appends: how often one append is sent while its outcome is unknown.
    """

    attempts: int = 12
    appends: int = 5
    first_pause: float = 0.002
    longest_pause: float = 0.25

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.appends < 1:
            raise ValueError(f"a command needs at least one attempt and one append, not {self!r}")

    def bound(self, failures: int) -> float:
        """The longest pause after so many failures, from 1 on."""
        return min(self.longest_pause, self.first_pause * 2.0 ** (failures - 1))


@dataclass(frozen=True, slots=True)
class CommandLoop:
    """Carries commands out against a store.

    >>> loop = CommandLoop(InMemoryEventStore())
    >>> LendBookToReaderHandler(loop).handle(command, Origin.new()).decision
    Reject(reason=ReaderNotRegistered(…), failure_event=LendingBookToReaderFailed(…))

    Attributes:
        store: where the events are.
        patience: how long to keep trying.
        sleep, draw, clock: pause for seconds, a number between two others, seconds from an arbitrary start. A test
            passes its own.
    """

    store: EventStore
    patience: Patience = Patience()
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[float, float], float] = random.uniform
    clock: Callable[[], float] = time.perf_counter

    def run(
        self,
        command: C,
        origin: Origin,
        *,
        boundary: Callable[[C], Filter],
        start: Callable[[C], S],
        evolve: Callable[[S, E], S],
        decide: Callable[[S, C], AnyDecision],
    ) -> Outcome:
        """Carry one command out.

        Args:
            command: what is asked for.
            origin: where it comes from; its event ids are the same in each attempt.
            boundary: the events on which the decision depends, and against which the append is guarded.
            start: what is known before the first event.
            evolve: what is known after one more event.
            decide: the rules.

        Raises:
            TooMuchContention: after the last attempt met a conflict.
            StoreUnavailable: the store did not answer. With `outcome_unknown` the events may be stored.
        """
        began = self.clock()
        attempts: list[Attempt] = []
        while True:
            asked = self.clock()
            stream = self.store.query(boundary(command))
            found = self.clock()
            # The boundary asks for the very types that `evolve` takes; each slice has a test that holds them together.
            history = map(cast("Callable[[SequencedEvent], E]", decode), stream)
            decision = decide(reduce(evolve, history, start(command)), command)
            decided = self.clock()
            sending = self._carry_out(decision, stream, origin)
            attempt = Attempt(
                started=asked - began,
                read_up_to=stream.position,
                events_read=len(stream),
                querying=found - asked,
                deciding=decided - found,
                appending=self.clock() - decided if sending.appends else 0.0,
                appends=sending.appends,
                conflict=sending.conflict,
            )
            if sending.conflict is None:
                return Outcome(decision, sending.stored, Report((*attempts, attempt)))
            if len(attempts) + 1 >= self.patience.attempts:
                raise TooMuchContention(Report((*attempts, attempt)))
            attempts.append(replace(attempt, waited=self._pause(len(attempts) + 1)))

    def _carry_out(self, decision: AnyDecision, stream: EventStream, origin: Origin) -> "_Sending":
        match decision:
            case Append(events):
                return self._send(events, stream.append_condition, origin)
            case Reject(_, failure_event) if failure_event is not None:
                return self._send((failure_event,), None, origin)
            case Reject() | Nothing():
                return _Sending()

    def _send(self, events: tuple[DomainEvent, ...], condition: AppendCondition | None, origin: Origin) -> "_Sending":
        first, *more = [
            encode(event, Metadata(origin.event_id(index), origin.causation_id, origin.correlation_id))
            for index, event in enumerate(events)
        ]
        outcome_unknown = False
        for appends in range(1, self.patience.appends + 1):
            try:
                numbers = self.store.append(first, *more, condition=condition)
            except ConcurrencyConflict as error:
                # Also the answer to an earlier append of unknown outcome: it was not committed, for the store
                # recognises event ids before it looks at the condition.
                return _Sending(appends, conflict=Conflict.of(error))
            except StoreUnavailable as error:
                outcome_unknown = outcome_unknown or error.outcome_unknown
                if not outcome_unknown:
                    raise
                if appends == self.patience.appends:
                    raise StoreUnavailable(str(error), outcome_unknown=True) from error
                self._pause(appends)
            else:
                stored = zip(numbers, events, strict=True)
                return _Sending(appends, tuple(StoredEvent(number, event.TYPE) for number, event in stored))
        raise AssertionError("patience allows no append at all")

    def _pause(self, failures: int) -> float:
        seconds = self.draw(0.0, self.patience.bound(failures))
        self.sleep(seconds)
        return seconds


@dataclass(frozen=True, slots=True)
class _Sending:
    appends: int = 0
    stored: tuple[StoredEvent, ...] = ()
    conflict: Conflict | None = None
