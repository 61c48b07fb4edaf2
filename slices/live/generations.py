"""The generations of a live model: the one that answers, and the one that is being built beside it.

Each has a table of rows of its own and a line in the table of positions. Which one serves is one flag in that line.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, LiteralString, cast

from psycopg import Connection

from eventstore import Batch, SchemaMissing, StoreUnavailable
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from slices.codec import UnknownEventType, UnreadableEvent, decode
from slices.domain_event import DomainEvent
from slices.live import statements
from slices.live.model import LiveModel, Rows

_LONGEST_REASON: Final = 500

_LOG: Final = logging.getLogger(__name__)


class Overtaken(Exception):
    """The generation is not where it was thought to be, or does not serve any more. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A line of the table of positions.

    Attributes:
        number: from 1 on.
        version: of the model that makes its rows.
        position: events up to here are in its rows.
        is_serving: it answers questions; otherwise it is being built, or was replaced.
        stopped_because: why it takes no events in; None if it does.
    """

    number: int
    version: int
    position: int
    is_serving: bool
    stopped_because: str | None = None


@dataclass(frozen=True, slots=True)
class Generations:
    """The generations of one model, over a connection in autocommit mode. Each method is one transaction.

    Raises:
        StoreUnavailable, SchemaMissing, InvalidEvent: from every method; see there.
    """

    connection: Connection[Any]
    table: TableName
    model: LiveModel[Any]

    def serving(self) -> Generation:
        """The generation that answers.

        Raises:
            SchemaMissing: there is none.
        """
        return self._one(statements.SERVING)

    def add(self, *, is_serving: bool = False) -> Generation:
        """Make a generation without rows, owned like the table of positions and with the same rights."""
        version = self.model.version
        with translated(may_have_written=True), self.connection.transaction():
            self._act_as_owner()
            given = {"model": self.model.name, "version": version, "is_serving": is_serving}
            ((number,),) = self._run(statements.ADD, given)
            rows = self._rows(number)
            rows.run(statements.DROP)  # rows without a line in the table of positions are nobody's
            rows.run(self.model.table)
            for role, privilege in self._rights():
                grant = statements.named(statements.GRANTS[privilege], (rows.schema, rows.table), role)
                self.connection.execute(grant)
        return Generation(number, version, 0, is_serving)

    def index(self, generation: Generation) -> None:
        """Make the indexes of a generation."""
        with translated(may_have_written=True), self.connection.transaction():
            self._act_as_owner()
            self.rows(generation).run(self.model.indexes)

    def advance(self, generation: Generation, batch: Batch) -> Generation:
        """Take a batch into the rows of a generation and move its position, in one transaction.

        Raises:
            Overtaken: see there.
            UnknownEventType, UnreadableEvent: an event of the batch cannot be read. What comes before it was taken in.
        """
        events, unreadable = _decoded(batch)
        to = batch.position if unreadable is None else unreadable.event.sequence_number - 1
        if unreadable is not None and to == generation.position:
            raise unreadable  # and leave the reason why the model has stopped as it is
        with translated(may_have_written=True), self.connection.transaction():
            moved = self.connection.execute(
                statements.composed(statements.MOVE, self.table),
                {
                    "model": self.model.name,
                    "generation": generation.number,
                    "from": generation.position,
                    "to": to,
                    "is_serving": generation.is_serving,
                },
            )
            if moved.rowcount != 1:
                raise Overtaken(f"{self.model.name} has been moved or swapped by somebody else")
            if events:
                self.model.apply(self.rows(generation), events)
        if unreadable is not None:
            raise unreadable
        return replace(generation, position=to, stopped_because=None)

    def note_stop(self, reason: str) -> None:
        """Tell everybody why no events are taken in, until they are."""
        with translated(may_have_written=True):
            self._run(statements.STOP, {"model": self.model.name, "reason": reason[:_LONGEST_REASON]})

    def swap(self, built: Generation, catch_up: Callable[[Generation, int], Generation]) -> Generation:
        """Let another generation answer from now on. It never knows less than the one before.

        Args:
            built: the other one.
            catch_up: takes the few events up to a position in, while the generation that answers stands still.
        """
        with translated(may_have_written=True), self.connection.transaction():
            before = self._one(statements.LOCK_SERVING)
            if built.position < before.position:
                built = catch_up(built, before.position)
            self._run(statements.RETIRE, {"model": self.model.name})
            self._run(statements.PROMOTE, {"model": self.model.name, "generation": built.number})
        return replace(built, is_serving=True)

    def drop_others(self) -> None:
        """Remove every generation that does not answer. Nobody may be building one.

        One that somebody still reads, as a backup does for hours, is left to the next rebuild: it is in nobody's way.
        """
        with translated(may_have_written=False):
            others = self._run(statements.LEFT_OVER, {"model": self.model.name})
        for (number,) in others:
            try:
                self._drop(number)
            except StoreUnavailable as reason:
                _LOG.warning("the former rows of %s are still there: %s", self.model.name, reason)

    def _drop(self, number: int) -> None:
        rows = self._rows(number)
        with translated(may_have_written=True), self.connection.transaction():
            self._act_as_owner()
            self.connection.execute(statements.named(statements.DROP, (rows.schema, rows.table)))
            self._run(statements.FORGET, {"model": self.model.name, "generation": number})

    def _one(self, statement: LiteralString) -> Generation:
        with translated(may_have_written=False):
            found = self._run(statement, {"model": self.model.name})
        if not found:
            raise SchemaMissing(f"there are no rows of the live model {self.model.name} beside {self.table}")
        return Generation(*found[0])

    def rows(self, generation: Generation) -> Rows:
        """The table of a generation."""
        return self._rows(generation.number)

    def _rows(self, number: int) -> Rows:
        return Rows(self.connection, self.table.schema, statements.rows_table(self.table, self.model.name, number))

    def _act_as_owner(self) -> None:
        for (owner,) in self._run(statements.OWNER, self._name()):  # none for a stranger, who acts as itself
            self.connection.execute(statements.named(statements.ACT_AS, ("", ""), owner))

    def _rights(self) -> list[tuple[str, str]]:
        given = {**self._name(), "privileges": list(statements.GRANTS)}
        return cast("list[tuple[str, str]]", self._run(statements.RIGHTS, given))

    def _name(self) -> dict[str, object]:
        return {"name": f"{self.table.schema}.{statements.models_table(self.table)}"}

    def _run(self, statement: LiteralString, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(statements.composed(statement, self.table), parameters)
        return cursor.fetchall() if cursor.description else []


def _decoded(batch: Batch) -> tuple[Sequence[DomainEvent], UnknownEventType | UnreadableEvent | None]:
    """The events up to the first that cannot be read, and why it cannot be."""
    events: list[DomainEvent] = []
    for event in batch:
        try:
            events.append(decode(event))
        except (UnknownEventType, UnreadableEvent) as reason:
            return events, reason
    return events, None
