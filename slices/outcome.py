"""What became of a command, and how: plain data for pages, clients, benchmarks and the race lab."""

from dataclasses import dataclass

from eventstore import ConcurrencyConflict
from slices.decision import AnyDecision


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that the command wrote."""

    sequence_number: int
    event_type: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What came between query and append.

    Attributes:
        sequence_number, event_type: the first event in the way.
        filter_item: the part of the boundary that it lies in, in words.
        after: the position that the decision was based on.
    """

    sequence_number: int
    event_type: str
    filter_item: str
    after: int

    @classmethod
    def of(cls, error: ConcurrencyConflict) -> "Conflict":
        """Keep what the store's error says."""
        return cls(error.event.sequence_number, error.event.event_type, error.filter_item, error.after)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One round of query, decide and append. All times are in seconds.

    Attributes:
        started: since the command began.
        read_up_to: the head of the store that the decision knows.
        events_read: how many events lay in the boundary.
        querying: from the question to the answer of the store.
        deciding: to decode, fold and decide.
        appending: from the append to its answer; 0.0 if there was nothing to append. Contains repetitions.
        appends: how often the same append was sent: more than once only if its outcome was unknown.
        conflict: why another attempt was needed, if it was.
        waited: the pause before the next attempt.
    """

    started: float
    read_up_to: int
    events_read: int
    querying: float
    deciding: float
    appending: float
    appends: int
    conflict: Conflict | None = None
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """How the command got there: every attempt in order, the last one is the one that counts."""

    attempts: tuple[Attempt, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Every conflict met."""
        return tuple(attempt.conflict for attempt in self.attempts if attempt.conflict is not None)

    @property
    def read_up_to(self) -> int:
        """The position that the final decision is based on."""
        return self.attempts[-1].read_up_to

    @property
    def events_read(self) -> int:
        """How many events the final decision is based on."""
        return self.attempts[-1].events_read

    @property
    def querying(self) -> float:
        """Seconds spent in queries, all attempts together."""
        return sum(attempt.querying for attempt in self.attempts)

    @property
    def deciding(self) -> float:
        """Seconds spent to decode, fold and decide, all attempts together."""
        return sum(attempt.deciding for attempt in self.attempts)

    @property
    def appending(self) -> float:
        """Seconds spent in appends, all attempts together."""
        return sum(attempt.appending for attempt in self.attempts)

    @property
    def waited(self) -> float:
        """Seconds of pauses between attempts."""
        return sum(attempt.waited for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a command.

    Attributes:
        decision: what the last attempt decided.
        events: what was written, in order: the events of an `Append`, or the failure event of a `Reject`.
        report: how it got there.
    """

    decision: AnyDecision
    events: tuple[StoredEvent, ...]
    report: Report
