"""The race lab on PostgreSQL: two logs of its own in the database of the library, never the library's log."""

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any, Final

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
    Subscription,
)
from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from eventstore.testing.port import EventsTable
from eventstore.testing.twins.cte_guard import CteGuard
from library_app.race import RaceKind, RaceResult
from library_app.race.entries import entries
from library_app.race.lane import LockWaits
from library_app.race.racing import race

TABLE: Final = "lab_events"
NAIVE_TABLE: Final = "lab_events_naive"
MOST_CONNECTIONS: Final = 16
MOST_ROUNDS: Final = 5
_PATIENCE: Final = 5
"""Seconds that a statement may take, and that a racer waits for a connection."""
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
        self, first: StorableEvent, /, *more: StorableEvent, condition: AppendCondition | None = None
    ) -> list[int]:
        """See `EventStore.append`, but for the promise: of several at once, several win."""
        with translated(may_have_written=True):
            return super().append(first, *more, condition=condition)


class PostgresRaceLab:
    """Runs races. Connections are opened for each race, at most `MOST_CONNECTIONS`, and closed after it.

    Args:
        dsn: leads to the database of the library, where `create_tables` was run.
        clock: the current time in UTC.
    """

    def __init__(self, dsn: str, clock: Callable[[], datetime]) -> None:
        options = conninfo_to_dict(dsn).get("options") or ""
        self._dsn = make_conninfo(dsn, options=f"{options} -c statement_timeout={_PATIENCE}s".strip())
        self._clock = clock

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


def create_tables(pool: Pool) -> None:
    """Create the lab's two logs, or bring that of an older release up to date."""
    store = PostgresEventStore(pool, TABLE)
    try:
        store.create_schema()
    except SchemaOutdated:
        store.upgrade_schema()
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
