"""What a slice says of its live model, and the table that it is handed for it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Generic, LiteralString, TypeVar

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from eventstore import Filter
from slices.domain_event import DomainEvent

E = TypeVar("E", bound=DomainEvent)

_NAME: Final = re.compile(r"[a-z][a-z_]{0,14}")


@dataclass(frozen=True, slots=True)
class Rows:
    """The table of one generation of a model, within an open transaction.

    Attributes:
        connection: with the transaction.
        schema, table: the table's name; it is another one in each generation.
    """

    connection: Connection[Any]
    schema: str
    table: str

    def run(self, statement: LiteralString, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement in which `{rows}` stands for the table, and return the rows that it answers with.

        >>> rows.run("SELECT title FROM {rows} WHERE book_id = %(book_id)s", {"book_id": book_id})
        [('Emma',)]
        """
        cursor = self.connection.execute(_composed(statement, self.schema, self.table), parameters)
        return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)  # with slots, LiveModel[…](…) fails in Python 3.11
class LiveModel(Generic[E]):
    """A read model of a slice.

    Attributes:
        name: of the slice; at most 15 letters and underscores, for tables are named after it.
        version: to be raised whenever anything here means something else: rows that another version made are made anew.
        boundary: the events that the rows are made of.
        table: SQL that creates the table `{rows}`, with its primary key.
        indexes: SQL that creates the other indexes of `{rows}`. A rebuild runs it when most of the rows are there.
        apply: takes the next events, in the order of the log, into the rows. It is called once for each event whose
            transaction was committed; what it did before a rollback is undone.

    Raises:
        ValueError: for a name or a version that cannot be used.
    """

    name: str
    version: int
    boundary: Filter
    table: LiteralString
    indexes: LiteralString
    apply: Callable[[Rows, Sequence[E]], None]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a live model is named by at most 15 letters and underscores, not {self.name!r}")
        if self.version < 1:
            raise ValueError(f"versions begin with 1, {self.name} cannot have {self.version!r}")


@lru_cache(maxsize=1000)
def _composed(statement: LiteralString, schema: str, table: str) -> bytes:
    return SQL(statement).format(rows=Identifier(schema, table)).as_bytes()
