"""Where a schedule is played: an empty store with gates, the sessions that come on, and the end of it all."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import psycopg

from eventstore.filter_builder import FilterBuilder
from eventstore.testing.arena import Arena, arena
from eventstore.testing.gates import Gates
from eventstore.testing.hand_writer import HandWriter
from eventstore.testing.interleaving import Interleaving, Stuck
from eventstore.testing.judgement import Finding, Flaw, Record, judge
from eventstore.testing.oracle import CLAIMED
from eventstore.testing.port import RaceSubject
from eventstore.testing.session import Attempt, NotHeld, Session

PATIENCE: Final = 30.0
"""Seconds after which a session that has not settled is reported. A sound store takes milliseconds."""

_EVERYTHING: Final = FilterBuilder().matching().any_event_type_of(CLAIMED).finalize()


class Stage:
    """What a schedule sees: sessions A, B, C, and X and Y, who write by hand. Each comes on when it is first named."""

    def __init__(self, place: Arena, interleaving: Interleaving, exits: ExitStack) -> None:
        self._place = place
        self._interleaving = interleaving
        self._exits = exits
        self._sessions: list[Session] = []
        self._winners_wanted: list[tuple[Attempt, ...]] = []

    @cached_property
    def a(self) -> Session:
        """The first session."""
        return self._session("A")

    @cached_property
    def b(self) -> Session:
        """The second session."""
        return self._session("B")

    @cached_property
    def c(self) -> Session:
        """The third session."""
        return self._session("C")

    @cached_property
    def x(self) -> HandWriter:
        """Somebody who knows the table, and not the store."""
        return self._stranger("X")

    @cached_property
    def y(self) -> HandWriter:
        """Another one."""
        return self._stranger("Y")

    def one_must_win(self, first: Attempt, *others: Attempt) -> None:
        """At the end, at least one of these appends must have been accepted. (That it is not two, the oracle sees.)"""
        self._winners_wanted.append((first, *others))

    def record(self) -> Record:
        """Wait until everybody is done, and collect what is judged."""
        self._interleaving.end()
        with self._place.open("judge") as store:
            log = store.query(_EVERYTHING).events
        return Record(
            log,
            [attempt for session in self._sessions for attempt in session.attempts],
            [reading for session in self._sessions for reading in session.readings],
            frozenset(session.name for session in self._sessions if session.died),
            self._winners_wanted,
        )

    def _session(self, name: str) -> Session:
        session = Session(name, self._exits.enter_context(self._place.open(name)), self._interleaving)
        self._sessions.append(session)
        return session

    def _stranger(self, name: str) -> HandWriter:
        connection = self._exits.enter_context(closing(psycopg.connect(self._place.dsn_of(name))))
        return HandWriter(name, connection, self._place.subject, self._place.table, self._interleaving)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A deterministic interleaving.

    Attributes:
        name: for the command line.
        title: in words.
        steps: what happens, in this order. What must hold at the end is the same for all: `judge` knows it.
    """

    name: str
    title: str
    steps: Callable[[Stage], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a schedule.

    Attributes:
        findings: every flaw, the worst first; none if the store held.
        timeline: what happened, drawn.
    """

    findings: tuple[Finding, ...]
    timeline: str

    @property
    def flaw(self) -> Flaw | None:
        """The worst flaw, or None."""
        return self.findings[0].flaw if self.findings else None


def play(schedule: Schedule, subject: RaceSubject, dsn: str, *, patience: float = PATIENCE) -> Outcome:
    """Run a schedule on an empty store of this kind, and judge it.

    Args:
        schedule: one of `eventstore.testing.schedules.SCHEDULES`, or your own.
        subject: the kind of store.
        dsn: a server on which the kit may create a schema and triggers, and end the connections it made.
        patience: seconds after which whoever has not settled is reported as stuck.
    """
    with (
        arena(subject, dsn) as place,
        psycopg.connect(dsn, autocommit=True, application_name="race kit") as watching,
        ExitStack() as exits,
    ):
        interleaving = Interleaving(Gates(watching, place), patience)
        stage = Stage(place, interleaving, exits)
        try:
            schedule.steps(stage)
            findings = judge(stage.record())
        except (Stuck, NotHeld) as found:
            flaw = Flaw.STUCK if isinstance(found, Stuck) else Flaw.NOT_HELD
            findings = [Finding(flaw, str(found))]
        finally:
            interleaving.abandon()
        return Outcome(tuple(findings), str(interleaving.timeline))
