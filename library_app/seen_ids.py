"""Whether an id was there before, in a log of any length."""

import sqlite3
from contextlib import closing
from types import TracebackType
from typing import Final, Self
from uuid import UUID

_TABLE: Final = "CREATE TABLE seen (id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID"
_ADD: Final = "INSERT INTO seen VALUES (?, ?)"
_FIND: Final = "SELECT place FROM seen WHERE id = ?"


class SeenIds:
    """Event ids and where they were met. Use it in a `with` block.

    What does not fit into a few megabytes of memory lies in a temporary file of SQLite, which nobody else sees.

    Raises:
        sqlite3.Error: from every method, if there is no room for the file.
    """

    def __init__(self) -> None:
        self._seen = sqlite3.connect("", isolation_level=None)  # a database without a name is a temporary one
        self._seen.execute(_TABLE)
        self._seen.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._seen.close()

    def before(self, event_id: UUID, place: int) -> int | None:
        """Where this id was met first; None if it is new, and then it is remembered.

        Args:
            event_id: the id.
            place: where it is met now: a line, or a sequence number.
        """
        try:
            self._seen.execute(_ADD, (event_id.bytes, place))
        except sqlite3.IntegrityError:
            with closing(self._seen.execute(_FIND, (event_id.bytes,))) as found:
                first: int = found.fetchone()[0]
            return first
        return None
