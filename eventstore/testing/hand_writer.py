"""Somebody with a plain connection who takes part in a schedule, and does not know the store's append."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

import psycopg
from psycopg.sql import SQL, Identifier, Placeholder

from eventstore.testing.interleaving import Actor, Interleaving
from eventstore.testing.oracle import Claim
from eventstore.testing.port import EventsTable, RaceSubject

_INSERT: Final[LiteralString] = "INSERT INTO {table} ({columns}) VALUES ({values})"
_COPY: Final[LiteralString] = "COPY {table} ({columns}) FROM STDIN"


class HandWriter:
    """Writes rows by INSERT and COPY. Every step returns when everybody has settled.

    Args:
        name: a letter.
        connection: of its own, not in autocommit mode.
        subject, table: what a row consists of, and where it goes.
        interleaving: what it takes part in.
    """

    def __init__(
        self,
        name: str,
        connection: psycopg.Connection[Any],
        subject: RaceSubject,
        table: EventsTable,
        interleaving: Interleaving,
    ) -> None:
        self.name = name
        self._connection = connection
        self._subject = subject
        self._table = table
        self._actor = Actor(name)
        self._interleaving = interleaving
        interleaving.enter(self._actor)

    def insert(self, claim: Claim) -> None:
        """Insert a claim, and do not commit."""
        self._write("INSERT", lambda: self._insert(claim))

    def copy(self, claim: Claim) -> None:
        """COPY a claim into the table, and do not commit."""
        self._write("COPY", lambda: self._copy(claim))

    def insert_and_commit(self, claim: Claim) -> None:
        """Insert a claim and commit at once, as soon as the store lets it."""

        def insert_and_commit() -> None:
            self._insert(claim)
            self._connection.commit()

        self._interleaving.begin(self._actor, "INSERT", insert_and_commit, _ends("commits"))

    def commit(self) -> None:
        """Commit what was written."""
        self._end("commits", self._connection.commit)

    def roll_back(self) -> None:
        """Take back what was written."""
        self._end("rolls back", self._connection.rollback)

    def _write(self, words: str, work: Callable[[], None]) -> None:
        self._actor.in_transaction = True
        self._interleaving.begin(self._actor, words, work, _ends("not committed"))

    def _end(self, words: str, work: Callable[[], None]) -> None:
        self._actor.in_transaction = False
        self._interleaving.begin(self._actor, "", work, _ends(words))

    def _insert(self, claim: Claim) -> None:
        columns, values = self._row(claim)
        statement = SQL(_INSERT).format(
            table=self._table.identifier,
            columns=SQL(", ").join(map(Identifier, columns)),
            values=SQL(", ").join([Placeholder()] * len(columns)),
        )
        self._connection.execute(statement, values)

    def _copy(self, claim: Claim) -> None:
        columns, values = self._row(claim)
        statement = SQL(_COPY).format(table=self._table.identifier, columns=SQL(", ").join(map(Identifier, columns)))
        with self._connection.cursor().copy(statement) as copy:
            copy.write_row(values)

    def _row(self, claim: Claim) -> tuple[list[str], list[object]]:
        row = self._subject.row(claim.event(self.name, None, datetime.now(UTC)))
        return list(row), list(row.values())


def _ends(well: str) -> "Callable[[Future[None]], str]":
    return lambda result: "refused" if result.exception() else well
