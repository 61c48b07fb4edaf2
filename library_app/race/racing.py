"""One race: everybody reads, then nobody waits for anybody any more. The log tells how it ended."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    FilterBuilder,
    SequencedEvent,
    StorableEvent,
    StoreUnavailable,
    Subscription,
    uuid7,
)
from library_app.race import RaceKind, Racer, RaceResult
from library_app.race.entries import Entries, Entry
from slices.audit import audit
from slices.codec import Metadata, decode, decode_metadata, encode
from slices.command_loop import CommandLoop, Patience, TooMuchContention
from slices.decision import AnyDecision
from slices.enrollment.events import StudentEnrolledToCourse
from slices.lending.events import BookCopyLentToReader
from slices.origin import Origin
from slices.outcome import StoredEvent

LONGEST_RACE: Final = 15.0
"""Seconds after which no racer asks the store again."""
_PATIENCE: Final = Patience()
_EVERYTHING: Final = FilterBuilder().matching_any_event()


def race(
    store: EventStore,
    kind: RaceKind,
    given: Entries,
    *,
    guarded: bool,
    rounds: int = 1,
    patience: Patience = _PATIENCE,
) -> RaceResult:
    """Let everybody race, each in a thread, and audit what the log has of it.

    Args:
        store: a log for races; others may race on it at the same time.
        kind, guarded, rounds: what the result says of them.
        given: who races for what.
        patience: of every racer.

    Raises:
        StoreUnavailable: the store does not answer, or not in time.
    """
    run_id = uuid7()
    before = store.query(_EVERYTHING, limit=1).position
    first, *more = [encode(event, Metadata(uuid7(), run_id, run_id)) for event in given.before]
    store.append(first, *more)
    line = StartingLine(len(given.racers))
    with ThreadPoolExecutor(len(given.racers), thread_name_prefix="racer") as threads:
        began = time.perf_counter()
        running = [threads.submit(_run, Lane(store, line), entry, patience, run_id, began) for entry in given.racers]
    racers = tuple(future.result() for future in running if not isinstance(future.exception(), _Abandoned))
    if len(racers) < len(given.racers):
        raise StoreUnavailable("not all racers came to the starting line in time", outcome_unknown=False)
    log = _log_of(store, before, run_id)
    return RaceResult(
        kind=kind,
        guarded=guarded,
        rounds=rounds,
        prize=given.prize,
        racers=racers,
        seconds=max(racer.finished for racer in racers),
        got=_got(log, {racer.racer_id for racer in racers}),
        objections=tuple(audit(log)),
    )


class _Abandoned(Exception):
    """Another racer did not come to the starting line, for a reason of their own."""


@dataclass(frozen=True, slots=True, init=False)
class StartingLine:
    """Where racers wait who have read, until all have."""

    barrier: threading.Barrier
    closes: float

    def __init__(self, racers: int) -> None:
        object.__setattr__(self, "barrier", threading.Barrier(racers, timeout=LONGEST_RACE))
        object.__setattr__(self, "closes", time.perf_counter() + LONGEST_RACE)


class Lane:
    """The store as one racer has it: the answer to the first query is given when everybody has one.

    Attributes:
        ready: when the first query was answered, on the clock of `time.perf_counter`.
        released: when everybody's was.
    """

    def __init__(self, store: EventStore, line: StartingLine) -> None:
        self._store = store
        self._line = line
        self.ready: float | None = None
        self.released = 0.0

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`; the first one ends at the starting line."""
        if time.perf_counter() > self._line.closes:
            raise StoreUnavailable("the race took too long and was ended", outcome_unknown=False)
        stream = self._store.query(filter, limit=limit, backwards=backwards, consistency=consistency, at_least=at_least)
        if self.ready is None:
            self.ready = time.perf_counter()
            self._wait()
            self.released = time.perf_counter()
        return stream

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self._store.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return self._store.subscribe(filter, after)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`."""
        return self._store.append(first, *more, condition=condition)

    def leave(self) -> None:
        """Nobody need wait for this racer any more."""
        self._line.barrier.abort()

    def _wait(self) -> None:
        try:
            self._line.barrier.wait()
        except threading.BrokenBarrierError:
            raise _Abandoned from None


def _run(lane: Lane, entry: Entry, patience: Patience, run_id: UUID, zero: float) -> Racer:
    began = time.perf_counter()
    decision: AnyDecision | None = None
    events: tuple[StoredEvent, ...] = ()
    try:
        outcome = entry.carry_out(CommandLoop(lane, patience), Origin.new(run_id))
        report, decision, events = outcome.report, outcome.decision, outcome.events
    except TooMuchContention as given_up:
        report = given_up.report
    except BaseException:
        lane.leave()
        raise
    return Racer(
        racer_id=entry.racer_id,
        name=entry.name,
        began=began - zero,
        ready=(lane.ready or began) - zero,
        released=lane.released - zero,
        report=report,
        decision=decision,
        events=events,
    )


def _log_of(store: EventStore, before: int, run_id: UUID) -> Sequence[SequencedEvent]:
    """What the log has of this race. Another process may race at the same time: its events are others."""
    tail = store.query(_EVERYTHING.after_sequence_number(before))
    return [event for event in tail if decode_metadata(event).correlation_id == run_id]


def _got(log: Sequence[SequencedEvent], racers: set[str]) -> tuple[SequencedEvent, ...]:
    def is_of_a_racer(stored: SequencedEvent) -> bool:
        match decode(stored):
            case BookCopyLentToReader(reader_id=racer) | StudentEnrolledToCourse(student_id=racer):
                return racer in racers
            case _:
                return False

    return tuple(event for event in log if is_of_a_racer(event))
