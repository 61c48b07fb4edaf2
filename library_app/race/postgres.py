"""The race lab on PostgreSQL: two logs of its own in the database of the library, never the library's log."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    SchemaMissing,
    SchemaOutdated,
    SequencedEvent,
    StorableEvent,
    StoreUnavailable,
    Subscription,
)
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.schema import SCHEMA_VERSION
from eventstore.postgres.sqlstates import translated
from eventstore.testing.port import EventsTable, refusal
from eventstore.testing.twins.cte_guard import CteGuard
from eventstore.testing.twins.plain import batch
from library_app.race import RaceKind, RaceResult
from library_app.race.entries import STEPPERS, entries
from library_app.race.ladder import Ladder
from library_app.race.lane import LockWaits
from library_app.race.racing import race
from library_app.race.schedule import Move, Who
from library_app.race.session import LONGEST_PLAY, JoinableStore
from library_app.race.stepping import CONNECTIONS, play

TABLE: Final = "lab_events"
NAIVE_TABLE: Final = "lab_events_naive"
MOST_CONNECTIONS: Final = 16
MOST_ROUNDS: Final = 5
_PATIENCE: Final = 5
"""Seconds that a statement may take, and that a racer waits for a connection."""
_SETTINGS: Final = (
    f"-c statement_timeout={_PATIENCE}s -c idle_in_transaction_session_timeout={_PATIENCE}s"
    r" -c default_transaction_isolation=read\ committed"
)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('lab_events_naive', 0))"


class NaiveStore(CteGuard):
    """The seed's append as a whole `EventStore`: everything but the append is our store's."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, EventsTable("public", NAIVE_TABLE))

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
        return self._reader.query(filter, limit=limit, backwards=backwards, consistency=consistency, at_least=at_least)

    def stream(self, filter: Filter) -> Iterator[SequencedEvent]:
        """See `EventStore.stream`."""
        return self._reader.stream(filter)

    def subscribe(self, filter: Filter, after: int = 0) -> Subscription:
        """See `EventStore.subscribe`."""
        return self._reader.subscribe(filter, after)

    def append(
        self,
        first: StorableEvent,
        /,
        *more: StorableEvent,
        condition: AppendCondition | None = None,
        connection: Connection[Any] | None = None,
    ) -> list[int]:
        """See `PostgresEventStore.append`, but for the promise: of several at once, several win."""
        with translated(may_have_written=True):
            if connection is None:
                return super().append(first, *more, condition=condition)
            statement, parameters = self._sql(self.statement, condition)
            after = 0 if condition is None else condition.after
            rows = connection.execute(statement, [*parameters, *batch((first, *more)), after]).fetchall()
        if not rows and condition is not None:
            raise refusal(condition)
        return [number for (number,) in rows]


class PostgresRaceLab:
    """Runs races. Connections are opened for each race, at most `MOST_CONNECTIONS`, and closed after it.

    Args:
        dsn: leads to the database of the library, where `create_tables` was run.
        clock: the current time in UTC.
    """

    def __init__(self, dsn: str, clock: Callable[[], datetime]) -> None:
        options = conninfo_to_dict(dsn).get("options") or ""
        self._dsn = make_conninfo(dsn, options=f"{options} {_SETTINGS}".strip())
        self._clock = clock
        self._stepping = threading.Lock()

    def run(self, kind: RaceKind, racers: int, *, guarded: bool) -> RaceResult:
        """See `RaceLab.run`. A naive race that went well by luck is run again, `MOST_ROUNDS` times in all."""
        size = min(racers, MOST_CONNECTIONS)
        rounds = 1 if guarded or kind is RaceKind.NO_CONFLICT else MOST_ROUNDS
        with open_pool(self._dsn, min_size=size, max_size=size, timeout=_PATIENCE) as pool:
            waits = LockWaits()
            store: EventStore = PostgresEventStore(pool, TABLE, on_append=waits.note) if guarded else NaiveStore(pool)
            options: dict[str, Any] = {"guarded": guarded, "connections": size, "lock_waits": waits}
            result = race(store, kind, entries(kind, racers, self._clock()), **options)
            while not result.objections and result.rounds < rounds:
                given = entries(kind, racers, self._clock())
                result = race(store, kind, given, **options, rounds=result.rounds + 1)
            return result

    def step(self, moves: tuple[Move, ...], *, guarded: bool) -> Ladder:
        """See `RaceLab.step`. A process plays one schedule at a time; two would wait for each other's lock anyway."""
        if not self._stepping.acquire(timeout=LONGEST_PLAY):
            raise StoreUnavailable("others play schedules and do not come to an end", outcome_unknown=False)
        try:
            with open_pool(self._dsn, max_size=CONNECTIONS, timeout=_PATIENCE) as pool:
                store: JoinableStore = PostgresEventStore(pool, TABLE) if guarded else NaiveStore(pool)
                given = entries(RaceKind.ONE_COPY, len(Who), self._clock(), STEPPERS)
                return play(store, pool, given, moves, guarded=guarded)
        finally:
            self._stepping.release()


def create_tables(pool: Pool) -> None:
    """Create what is missing of the lab's two logs.

    Raises:
        SchemaOutdated: there is one of an older release.
    """
    PostgresEventStore(pool, TABLE).create_schema()
    _create_naive_table(pool)


def upgrade_tables(pool: Pool) -> int:
    """Bring the lab's logs up to date, or create them for a release that had none.

    Returns:
        the version that was found: that of this release if there was none.
    """
    store = PostgresEventStore(pool, TABLE)
    try:
        store.create_schema()
        version = SCHEMA_VERSION
    except SchemaOutdated:
        version = store.upgrade_schema()
    _create_naive_table(pool)
    return version


def _create_naive_table(pool: Pool) -> None:
    script = files("library_app.race").joinpath("lab_events_naive.sql").read_text(encoding="utf-8")
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        connection.execute(_LOCK)  # two processes may start at the same moment
        connection.execute(script.encode())


def check_tables(pool: Pool) -> None:
    """Make sure at start-up that the lab's two logs are there.

    Raises:
        SchemaMissing, SchemaOutdated: one is not, or is of another release.
    """
    PostgresEventStore(pool, TABLE).check_schema()
    with borrowed(pool) as connection, translated(may_have_written=False):
        [(found,)] = connection.execute("SELECT to_regclass('public.lab_events_naive') IS NOT NULL").fetchall()
    if not found:
        raise SchemaMissing(f"there is no table {NAIVE_TABLE}")
