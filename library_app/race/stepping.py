"""Play a schedule of two sessions on the real database, a step at a time, and see what becomes of both.

A step is over when each session waits for permission, has its answer, or waits for the lock that the other one holds.
All three are facts and not a matter of time, so that a schedule ends the same way however often it is played. Others
may use the log meanwhile: whoever waits for one of them is not held, and soon goes on.
"""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from eventstore import StoreUnavailable, uuid7
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.race.entries import Entries
from library_app.race.ladder import Held, Ladder, Rung
from library_app.race.racing import log_of, winners
from library_app.race.schedule import Move, Step, Who
from library_app.race.session import LONGEST_PLAY, Abandoned, JoinableStore, Session, SteppedStore, loop_of
from slices.audit import audit
from slices.codec import Metadata, encode
from slices.origin import Origin
from slices.outcome import Outcome, StoredEvent

CONNECTIONS: Final = 3
"""One for each session, one to look."""
_LOOK: Final = 0.002
"""Seconds between two looks at a session that neither rests nor is seen to be held."""
_BLOCKED_BY: Final = "SELECT %s = ANY (pg_blocking_pids(%s))"


def play(store: JoinableStore, pool: Pool, given: Entries, moves: tuple[Move, ...], *, guarded: bool) -> Ladder:
    """Play a schedule from its beginning, up to its end or to a step that is not possible.

    Whatever a session has open at the end is rolled back.

    Args:
        store, pool: a log for races, and at least `CONNECTIONS` connections to it.
        given: two racers, and what happened before.
        moves: the schedule.
        guarded: what the result says of it.

    Raises:
        StoreUnavailable: the store does not answer, or not in time.
    """
    run_id = uuid7()
    first, *more = [encode(event, Metadata(uuid7(), run_id, run_id)) for event in given.before]
    numbers = store.append(first, *more)
    stage = _Stage(pool)
    running: list[Future[Outcome]] = []
    with ThreadPoolExecutor(len(Who), thread_name_prefix="session") as threads:
        try:
            for session, entry in zip(stage.sessions.values(), given.racers, strict=True):
                loop = loop_of(session, SteppedStore(store, pool, session))
                running.append(threads.submit(session.carry_out, entry.carry_out, loop, Origin.new(run_id)))
            rungs = stage.take(moves)
            possible, held = stage.possible(), stage.held()
        finally:
            stage.abandon()
    for future in running:
        if not isinstance(future.exception(), Abandoned):
            future.result()
    log = log_of(store, numbers[0] - 1, run_id)
    return Ladder(
        guarded=guarded,
        names={who: entry.name for who, entry in zip(Who, given.racers, strict=True)},
        prize=given.prize,
        before=tuple(StoredEvent(number, event.TYPE) for number, event in zip(numbers, given.before, strict=True)),
        rungs=rungs,
        possible=possible,
        held=held,
        impossible=moves[len(rungs)] if len(rungs) < len(moves) else None,
        got=winners(log, {entry.racer_id for entry in given.racers}),
        objections=tuple(audit(log)),
    )


class _Stage:
    """Both sessions, and a watch on them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._changed = threading.Condition()
        self._ends = time.monotonic() + LONGEST_PLAY
        self.sessions = {who: Session(who, self._changed) for who in Who}

    def take(self, moves: tuple[Move, ...]) -> tuple[Rung, ...]:
        """Take the steps one after the other, as far as they are possible."""
        self._settle()
        rungs: list[Rung] = []
        for move in moves:
            session = self.sessions[move.who]
            if session.asks is not move.step:
                break
            session.permit()
            self._settle()
            rungs.append(self._rung(move))
        return tuple(rungs)

    def possible(self) -> tuple[Move, ...]:
        """The steps that can come next."""
        return tuple(Move(session.who, session.asks) for session in self.sessions.values() if session.asks)

    def held(self) -> Who | None:
        """Who waits for the lock, if somebody does."""
        return next((session.who for session in self.sessions.values() if session.is_held), None)

    def abandon(self) -> None:
        """Let both go home. Who holds the lock gives it up, so the other one gets home, too."""
        for session in self.sessions.values():
            session.abandon()

    def _rung(self, move: Move) -> Rung:
        sessions = self.sessions.values()
        return Rung(
            move=move,
            notes={session.who: session.take_notes() for session in sessions},
            holding=frozenset(session.who for session in sessions if session.asks is Step.COMMIT),
            held=self.held(),
        )

    def _settle(self) -> None:
        """Wait until nothing moves any more."""
        while running := [session for session in self.sessions.values() if not session.is_at_rest]:
            if all(map(self._waits_for_the_other, running)):
                break
            if time.monotonic() > self._ends:
                raise StoreUnavailable("the schedule took too long and was ended", outcome_unknown=False)
            with self._changed:
                self._changed.wait_for(lambda: all(session.is_at_rest for session in running), _LOOK)
        for session in self.sessions.values():
            if session in running and not session.is_held:
                session.note(Held())
            session.is_held = session in running

    def _waits_for_the_other(self, session: Session) -> bool:
        """Whether it waits for a transaction that stays open until the other session is permitted to commit."""
        waiting, blocking = session.pid, self.sessions[session.who.other]
        if waiting is None or blocking.pid is None or blocking.asks is not Step.COMMIT:
            return False
        with borrowed(self._pool) as connection, translated(may_have_written=False):
            [(is_blocked,)] = connection.execute(_BLOCKED_BY, [blocking.pid, waiting]).fetchall()
        return bool(is_blocked)
