"""One of two sessions: the slice's own handler in a thread, which asks before each step and notes what comes of it."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from psycopg import Connection

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    SequencedEvent,
    StorableEvent,
    Subscription,
)
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.race.ladder import Answered, Committed, Decided, Inserted, Note, Read, Refused
from library_app.race.schedule import Step, Who
from slices.command_loop import C, CommandLoop, E, S
from slices.decision import AnyDecision
from slices.origin import Origin
from slices.outcome import Conflict, Outcome, StoredEvent

LONGEST_PLAY: Final = 15.0
"""Seconds after which whoever still waits for permission goes home."""


class Abandoned(Exception):
    """The schedule is over; whatever is open is rolled back."""


class JoinableStore(EventStore, Protocol):
    """A store whose appends can join a transaction, so that there is a time between insert and commit."""

    def append(
        self,
        first: StorableEvent,
        /,
        *more: StorableEvent,
        condition: AppendCondition | None = None,
        connection: Connection[Any] | None = None,
    ) -> list[int]:
        """See `PostgresEventStore.append`."""
        ...


class Session:
    """Where a session stands. Its thread asks and notes; whoever plays the schedule permits and looks.

    Args:
        who: which of the two.
        changed: shared by both; notified whenever one of them comes to rest.

    Attributes:
        asks: the step that waits for permission.
        is_over: nothing more comes of this session.
        pid: of the backend that has its open transaction; None if none is open.
        is_held: it was last seen to wait for the lock of the other one.
    """

    def __init__(self, who: Who, changed: threading.Condition) -> None:
        self.who = who
        self.asks: Step | None = None
        self.is_over = False
        self.pid: int | None = None
        self.is_held = False
        self._changed = changed
        self._is_abandoned = False
        self._notes: list[Note] = []

    @property
    def is_at_rest(self) -> bool:
        """Whether it does nothing until it is permitted to."""
        return self.is_over or self.asks is not None

    def ask(self, step: Step) -> None:
        """Wait for permission, on the session's thread.

        Raises:
            Abandoned: there will be none.
        """
        with self._changed:
            self.asks = step
            self._changed.notify_all()
            permitted = self._changed.wait_for(lambda: self.asks is None or self._is_abandoned, LONGEST_PLAY)
            if not permitted or self._is_abandoned:
                raise Abandoned

    def permit(self) -> None:
        """Let it take the step that it asks for."""
        with self._changed:
            self.asks = None
            self._changed.notify_all()

    def abandon(self) -> None:
        """Let it go home, wherever it stands."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()

    def note(self, note: Note) -> None:
        """Remember what happened."""
        self._notes.append(note)

    def take_notes(self) -> tuple[Note, ...]:
        """What has been noted since the last call; only for a session that rests or is held."""
        notes, self._notes = tuple(self._notes), []
        return notes

    def carry_out(
        self, command: Callable[[CommandLoop, Origin], Outcome], loop: CommandLoop, origin: Origin
    ) -> Outcome:
        """Give the command, on the session's thread."""
        try:
            outcome = command(loop, origin)
            self.note(Answered(outcome.decision))
            return outcome
        finally:
            with self._changed:
                self.asks, self.is_over = None, True
                self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class SteppedStore:
    """The store as one session has it: every query, append and commit waits for permission."""

    store: JoinableStore
    pool: Pool
    session: Session

    def query(
        self,
        filter: Filter,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistency: Consistency = Consistency.STRONG,
        at_least: int | None = None,
    ) -> EventStream:
        """See `EventStore.query`."""
        self.session.ask(Step.READ)
        stream = self.store.query(filter, limit=limit, backwards=backwards, consistency=consistency, at_least=at_least)
        found = tuple(StoredEvent(event.sequence_number, event.event_type) for event in stream)
        self.session.note(Read(found, stream.position))
        return stream

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self.store.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return self.store.subscribe(filter, after)

    def append(
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`; between insert and commit there is a step."""
        self.session.ask(Step.APPEND)
        try:
            with self._transaction() as connection:
                numbers = self.store.append(first, *more, condition=condition, connection=connection)
                event = StoredEvent(numbers[0], first.event_type)
                self.session.note(Inserted(event, None if condition is None else condition.after))
                self.session.ask(Step.COMMIT)
        except ConcurrencyConflict as conflict:
            self.session.note(Refused(Conflict.of(conflict)))
            raise
        self.session.note(Committed(event))
        return numbers

    @contextmanager
    def _transaction(self) -> Generator[Connection[Any]]:
        """Rolled back by any error, a conflict too: the lock is not kept for nothing."""
        with borrowed(self.pool) as connection:
            self.session.pid = connection.info.backend_pid
            try:
                with translated(may_have_written=True), connection.transaction():
                    yield connection
            finally:
                self.session.pid = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedLoop(CommandLoop):
    """The loop of every command, which tells what was decided before the append is sent."""

    told: Callable[[AnyDecision], None] = field(default=lambda _: None)

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
        """See `CommandLoop.run`."""

        def decide_and_tell(state: S, given: C) -> AnyDecision:
            decision = decide(state, given)
            self.told(decision)
            return decision

        return CommandLoop.run(
            self, command, origin, boundary=boundary, start=start, evolve=evolve, decide=decide_and_tell
        )


def loop_of(session: Session, store: SteppedStore) -> CommandLoop:
    """The loop that carries a session's command out. It does not pause after a conflict: the schedule does."""
    return WatchedLoop(store, sleep=lambda _: None, told=lambda decision: session.note(Decided(decision)))
