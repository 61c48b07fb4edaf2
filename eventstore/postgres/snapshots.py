"""Snapshots in PostgreSQL: a table beside the events table, shared by all processes."""

from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Identifier

from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from eventstore.snapshots import Snapshot, SnapshotKey

DEFAULT_LOCK_TIMEOUT: Final = 1.0

# The state comes last, so that no two rows run together into the same bytes.
_CHECKSUM: LiteralString = """
sha256(convert_to(concat_ws(' ', {row}.filter_hash, {row}.version, {row}.sequence_number, {row}.event_id,
                            length({row}.projection), {row}.projection), 'UTF8') || {row}.state)
"""

_LOAD: LiteralString = """
SELECT kept.sequence_number, kept.event_id, kept.state
FROM {table} kept
WHERE kept.projection = %s AND kept.version = %s AND kept.filter_hash = %s AND kept.checksum = {checksum_of_kept}
"""

# One statement, so of two savers the second sees what the first has committed. A row that is damaged gives way to any.
_SAVE: LiteralString = """
WITH given AS MATERIALIZED (
    SELECT %s::text AS projection, %s::integer AS version, %s::text AS filter_hash,
           %s::bigint AS sequence_number, %s::uuid AS event_id, %s::bytea AS state
), patience AS MATERIALIZED (
    SELECT set_config('lock_timeout', %s, true)
)
INSERT INTO {table} AS kept (projection, version, filter_hash, sequence_number, event_id, state, checksum)
SELECT given.*, {checksum_of_given}
FROM given, patience
ON CONFLICT (projection, version, filter_hash) DO UPDATE
SET sequence_number = EXCLUDED.sequence_number, event_id = EXCLUDED.event_id, state = EXCLUDED.state,
    checksum = EXCLUDED.checksum, saved_at = EXCLUDED.saved_at
WHERE kept.sequence_number < EXCLUDED.sequence_number OR kept.checksum <> {checksum_of_kept}
RETURNING true
"""

_DELETE: LiteralString = """
WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', %s, true))
DELETE FROM {table} kept
USING patience
WHERE kept.projection = %s AND kept.version = %s AND kept.filter_hash = %s
RETURNING true
"""


class PostgresSnapshotStore:
    """See `SnapshotStore`. The snapshots of the table `events` are kept in the table `events_snapshots`.

    A row whose checksum is wrong counts as missing. `replayed` tells how to read with snapshots:

    >>> replayed(store, PostgresSnapshotStore(pool), filter, projection).state  # doctest: +SKIP

    Args:
        pool: made with `open_pool`, or any psycopg `ConnectionPool`.
        table: the events table.
        lock_timeout: seconds that `save` and `delete` wait for somebody who has locked the row.

    Raises:
        ValueError: for a table name or a timeout that cannot be used.
        StoreUnavailable: from every method, if the server does not answer, refuses to work, or the row stays locked.
        SchemaMissing: from every method, if there is no such table.
    """

    def __init__(self, pool: Pool, table: str = "events", *, lock_timeout: float = DEFAULT_LOCK_TIMEOUT) -> None:
        name = TableName.parse(table)
        if not 0.001 <= lock_timeout <= 3600:
            raise ValueError(f"lock_timeout must be between 0.001 and 3600 seconds, not {lock_timeout!r}")
        self._pool = pool
        self._lock_timeout = f"{round(lock_timeout * 1000)}ms"
        self._save, self._load, self._delete = (_composed(text, name) for text in (_SAVE, _LOAD, _DELETE))

    def save(self, key: SnapshotKey, snapshot: Snapshot) -> bool:
        """See `SnapshotStore.save`."""
        given = [*_columns(key), snapshot.sequence_number, snapshot.event_id, snapshot.state, self._lock_timeout]
        return bool(self._rows(self._save, given, may_have_written=True))

    def load(self, key: SnapshotKey) -> Snapshot | None:
        """See `SnapshotStore.load`."""
        rows = self._rows(self._load, _columns(key), may_have_written=False)
        return Snapshot(*rows[0]) if rows else None

    def delete(self, key: SnapshotKey) -> None:
        """See `SnapshotStore.delete`."""
        self._rows(self._delete, [self._lock_timeout, *_columns(key)], may_have_written=True)

    def _rows(self, statement: bytes, parameters: list[object], *, may_have_written: bool) -> list[tuple[Any, ...]]:
        with borrowed(self._pool) as connection, translated(may_have_written=may_have_written):
            return fetch(connection, statement, parameters)


def _columns(key: SnapshotKey) -> list[object]:
    return [key.projection, key.version, key.filter_hash]


def _composed(text: LiteralString, name: TableName) -> bytes:
    checksum = SQL(_CHECKSUM)
    return (
        SQL(text)
        .format(
            table=Identifier(name.schema, f"{name.table}_snapshots"),
            checksum_of_kept=checksum.format(row=Identifier("kept")),
            checksum_of_given=checksum.format(row=Identifier("given")),
        )
        .as_bytes()
    )
