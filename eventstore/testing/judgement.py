"""What the run of a schedule proves: pure functions over the log, what was answered, and what was read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from eventstore.events import SequencedEvent
from eventstore.testing.interleaving import in_words
from eventstore.testing.oracle import lost_guards
from eventstore.testing.session import Attempt, Reading


class Flaw(Enum):
    """What can be wrong with a store, the worst first."""

    LOST_GUARD = "lost guard"
    """An append was accepted although its boundary held an event that its writer did not know."""

    OUT_OF_ORDER = "out of order"
    """An event became visible below a position that somebody had read up to already."""

    PART_OF_A_BATCH = "part of a batch"
    """Somebody saw some events of one append and not the others, or only some are stored."""

    WRONG_ANSWER = "wrong answer"
    """What was acknowledged is not what the log holds."""

    FALSE_CONFLICT = "false conflict"
    """Nobody won, although nothing stood in the way."""

    ERROR = "error"
    """An append failed that should have been accepted or refused."""

    STUCK = "stuck"
    """Somebody waits for ever, or a reader waits for a writer."""

    NOT_HELD = "not held"
    """The kit could not hold a session, so nothing was examined: no row was written where the store said."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw, with the sentence that says what happened."""

    flaw: Flaw
    sentence: str

    def __str__(self) -> str:
        return f"{self.flaw.value}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is judged.

    Attributes:
        log: all claims in sequence order, when everybody was done.
        attempts: all appends, finished.
        readings: all that was read meanwhile.
        dead: sessions whose connection was cut; their appends may fail.
        winners_wanted: of each of these groups of appends one must have been accepted.
    """

    log: Sequence[SequencedEvent]
    attempts: Sequence[Attempt]
    readings: Sequence[Reading]
    dead: frozenset[str]
    winners_wanted: Sequence[Sequence[Attempt]]


def judge(record: Record) -> list[Finding]:
    """Find every flaw, the worst first."""
    found = [
        *_lost_guards(record),
        *_out_of_order(record),
        *_parts_of_batches(record),
        *_wrong_answers(record),
        *_false_conflicts(record),
        *_errors(record),
    ]
    order = list(Flaw)
    return sorted(found, key=lambda finding: order.index(finding.flaw))


def _lost_guards(record: Record) -> Iterable[Finding]:
    writer = {event.sequence_number: json.loads(event.payload)["Writer"] for event in record.log}
    for lost in lost_guards(record.log):
        yield Finding(
            Flaw.LOST_GUARD,
            f"{writer[lost.accepted]} had read up to {lost.read_up_to} and was accepted as event {lost.accepted},"
            f" not knowing event {lost.overlooked} of {writer[lost.overlooked]}",
        )


def _out_of_order(record: Record) -> Iterable[Finding]:
    for reading in record.readings:
        position = reading.stream.position
        now = {event.sequence_number for event in record.log if reading.stream.filter.matches(event)}
        seen = {event.sequence_number for event in reading.stream}
        later = sorted(number for number in now - seen if number <= position)
        if later:
            yield Finding(
                Flaw.OUT_OF_ORDER,
                f"{reading.session} had read up to {position}, and event {in_words(later)} appeared afterwards",
            )


def _parts_of_batches(record: Record) -> Iterable[Finding]:
    views = [(f"{reading.session} saw", reading.stream.events) for reading in record.readings]
    for attempt in record.attempts:
        ids = {event.event_id for event in attempt.events}
        for who, events in [*views, ("the log holds", record.log)]:
            seen = len(ids & {event.event_id for event in events})
            if 0 < seen < len(ids):
                yield Finding(
                    Flaw.PART_OF_A_BATCH, f"{who} {seen} of the {len(ids)} events that {attempt.session} appended"
                )


def _wrong_answers(record: Record) -> Iterable[Finding]:
    stored = {event.event_id: event.sequence_number for event in record.log}
    for attempt in record.attempts:
        numbers = [stored.get(event.event_id) for event in attempt.events]
        if attempt.numbers and attempt.numbers != numbers:
            yield Finding(
                Flaw.WRONG_ANSWER,
                f"{attempt.session} was told {in_words(attempt.numbers)}, the log says {in_words(numbers)}",
            )
        if attempt.was_refused and any(numbers):
            yield Finding(
                Flaw.WRONG_ANSWER, f"{attempt.session} was refused, and the log holds its event {in_words(numbers)}"
            )


def _false_conflicts(record: Record) -> Iterable[Finding]:
    for group in record.winners_wanted:
        if not any(attempt.numbers for attempt in group) and all(attempt.was_refused for attempt in group):
            names = in_words({attempt.session for attempt in group})
            were = "was" if len(group) == 1 else "were all"
            yield Finding(Flaw.FALSE_CONFLICT, f"{names} {were} refused although nothing stood in the way")


def _errors(record: Record) -> Iterable[Finding]:
    for attempt in record.attempts:
        if attempt.error is not None and attempt.session not in record.dead:
            reason = str(attempt.error).strip().partition("\n")[0]
            yield Finding(Flaw.ERROR, f"{attempt.session} got {type(attempt.error).__name__}: {reason}")
