"""Asking a live model: rows and position of one moment, and the wait for what the caller has just written."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from eventstore import SchemaMissing, StoreUnavailable
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from slices.live import statements
from slices.live.answer import LiveAnswer
from slices.live.model import LiveModel, Rows

V = TypeVar("V")

DEFAULT_PATIENCE: Final = 1.0
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """How a model is doing.

    Attributes:
        generation, version: of the rows that answer.
        position: events up to here are in them.
        head: the newest event of the store.
        stopped_because: why no events are taken in; None if they are.
    """

    generation: int
    version: int
    position: int
    head: int
    stopped_because: str | None


@dataclass(frozen=True, slots=True)
class LiveAnswers:
    """Where live models are asked.

    >>> LiveAnswers(pool).ask(model, lambda rows: rows.run("SELECT title FROM {rows}"), at_least=17).view
    [('Emma',)]

    Attributes:
        pool: made with `eventstore.postgres.open_pool`, or any psycopg `ConnectionPool`.
        table: the events table.
        patience: seconds to wait for a model that has not reached the position asked for.
        sleep, clock: pause for seconds, and seconds from an arbitrary start. A test passes its own.
    """

    pool: Pool
    table: str = "events"
    patience: float = DEFAULT_PATIENCE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def ask(self, model: LiveModel[Any], read: Callable[[Rows], V], at_least: int | None = None) -> LiveAnswer[V]:
        """Answer from the rows of a model, all of one moment.

        Args:
            model: which model.
            read: makes the view of the rows. It may be called again, and should only read.
            at_least: a position that should be in the answer, such as that of one's own last event. It is waited for,
                but not for long: the answer says whether it is in it. A position that the store does not have, or a
                model that has stopped, is not waited for.

        Raises:
            SchemaMissing: the tables of the model were never made.
            StoreUnavailable: the server does not answer, or the rows are those of a newer release, which a process of
                an older one cannot read.
        """
        if at_least is not None:
            self._wait(model, at_least)
        for _ in range(_TRIES - 1):
            try:
                return self._read(model, read, at_least or 0)
            except SchemaMissing:
                # A rebuild removed the rows between two statements: by now others serve.
                continue
        return self._read(model, read, at_least or 0)

    def status(self, model: LiveModel[Any]) -> LiveStatus:
        """How the model is doing at this moment. Errors are those of `ask`."""
        with borrowed(self.pool) as connection, translated(may_have_written=False):
            return self._status(connection, model)

    def _wait(self, model: LiveModel[Any], at_least: int) -> None:
        deadline, pause = self.clock() + self.patience, _FIRST_PAUSE
        while self._is_worth_waiting(self.status(model), at_least) and self.clock() < deadline:
            self.sleep(pause)  # without a connection: others need them
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _is_worth_waiting(self, status: LiveStatus, at_least: int) -> bool:
        return status.position < at_least <= status.head and status.stopped_because is None

    def _read(self, model: LiveModel[Any], read: Callable[[Rows], V], at_least: int) -> LiveAnswer[V]:
        name = TableName.parse(self.table)
        with borrowed(self.pool) as connection, translated(may_have_written=False), connection.transaction():
            connection.execute(statements.ONE_SNAPSHOT)
            status = self._status(connection, model)
            if status.version > model.version:
                raise StoreUnavailable(
                    f"the rows of {model.name} are of version {status.version}, and this release understands"
                    f" {model.version}: a newer one has taken over",
                    outcome_unknown=False,
                )
            view = read(Rows(connection, name.schema, statements.rows_table(name, model.name, status.generation)))
        return LiveAnswer(
            view,
            status.position,
            status.head,
            is_behind=status.position < at_least,
            is_stopped=status.stopped_because is not None,
        )

    def _status(self, connection: Any, model: LiveModel[Any]) -> LiveStatus:
        statement = statements.composed(statements.STATUS, TableName.parse(self.table))
        found = connection.execute(statement, {"model": model.name}).fetchone()
        if found is None:
            raise SchemaMissing(f"there are no rows of the live model {model.name} beside {self.table}")
        return LiveStatus(*found)
