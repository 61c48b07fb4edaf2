"""One race: everybody reads, then nobody waits for anybody any more. The log tells how it ended."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final
from uuid import UUID

from eventstore import EventStore, FilterBuilder, SequencedEvent, StoreUnavailable, uuid7
from library_app.race import MOST_RACERS, RaceKind, Racer, RaceResult, Waits
from library_app.race.entries import Entries, Entry
from library_app.race.lane import Abandoned, Lane, LockWaits, StartingLine
from slices.audit import audit
from slices.codec import Metadata, decode, decode_metadata, encode
from slices.command_loop import CommandLoop, Patience, TooMuchContention
from slices.decision import AnyDecision
from slices.enrollment.events import StudentEnrolledToCourse
from slices.lending.events import BookCopyLentToReader
from slices.origin import Origin
from slices.outcome import StoredEvent

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
    connections: int = MOST_RACERS,
    lock_waits: LockWaits | None = None,
) -> RaceResult:
    """Let everybody race, each in a thread, and audit what the log has of it.

    Args:
        store: a log for races; others may race on it at the same time.
        kind, guarded, rounds: what the result says of them.
        given: who races for what.
        patience: of every racer.
        connections: how many racers can ask the store at a time.
        lock_waits: what the store tells of its lock, if it has one and tells of it.

    Raises:
        StoreUnavailable: the store does not answer, or not in time.
    """
    run_id = uuid7()
    before = store.query(_EVERYTHING, limit=1).position
    first, *more = [encode(event, Metadata(uuid7(), run_id, run_id)) for event in given.before]
    store.append(first, *more)
    line = StartingLine(len(given.racers), connections)
    waits = lock_waits or LockWaits()
    with ThreadPoolExecutor(len(given.racers), thread_name_prefix="racer") as threads:
        began = time.perf_counter()
        running = [
            threads.submit(_run, Lane(store, line, waits), entry, patience, run_id, began) for entry in given.racers
        ]
    racers = tuple(future.result() for future in running if not isinstance(future.exception(), Abandoned))
    if len(racers) < len(given.racers):
        raise StoreUnavailable("not all racers came to the starting line in time", outcome_unknown=False)
    log = log_of(store, before, run_id)
    return RaceResult(
        kind=kind,
        guarded=guarded,
        rounds=rounds,
        prize=given.prize,
        racers=racers,
        seconds=max(racer.finished for racer in racers),
        got=winners(log, {racer.racer_id for racer in racers}),
        objections=tuple(audit(log)),
    )


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
    waits = iter(lane.waits)
    return Racer(
        racer_id=entry.racer_id,
        name=entry.name,
        began=began - zero,
        ready=(lane.ready or began) - zero,
        released=lane.released - zero,
        report=report,
        waits=tuple(Waits.summed(islice(waits, attempt.appends)) for attempt in report.attempts),
        decision=decision,
        events=events,
    )


def log_of(store: EventStore, before: int, run_id: UUID) -> Sequence[SequencedEvent]:
    """What the log has of this race. Another process may race at the same time: its events are others."""
    tail = store.query(_EVERYTHING.after_sequence_number(before))
    return [event for event in tail if decode_metadata(event).correlation_id == run_id]


def winners(log: Sequence[SequencedEvent], racers: set[str]) -> tuple[SequencedEvent, ...]:
    """The events that gave one of the racers what they wanted."""

    def is_of_a_racer(stored: SequencedEvent) -> bool:
        match decode(stored):
            case BookCopyLentToReader(reader_id=racer) | StudentEnrolledToCourse(student_id=racer):
                return racer in racers
            case _:
                return False

    return tuple(event for event in log if is_of_a_racer(event))
