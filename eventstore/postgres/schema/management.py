"""Making and upgrading the schema, and making sure at start-up that it is the one this release works with."""

from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from eventstore.errors import SchemaMissing, SchemaOutdated
from eventstore.postgres import schema, statements
from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated

_LOCK: Final = "SELECT pg_advisory_xact_lock(%s, %s)"
_EXISTS: Final = "SELECT to_regclass(%s) IS NOT NULL"
_COMPLETE: Final = "SELECT to_regprocedure(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL"
_OWNER: Final = """
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass(%s) AND pg_has_role(relowner, 'MEMBER')
"""
_ROLE: Final = "SELECT current_setting('role')"
_BE_AGAIN: Final = "SELECT set_config('role', %s, true)"
_CACHE: Final = "SELECT seqcache FROM pg_sequence WHERE seqrelid = to_regclass(%s)"
# Whoever holds the append lock for longer is stuck, and appends should not queue up behind a waiting upgrade for ever.
_PATIENCE: Final = "SET LOCAL lock_timeout = '60s'"


def create(pool: Pool, table: TableName) -> None:
    """Create tables, functions, triggers and indexes, all or nothing; if they exist, check them."""
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        _lock(connection, table)  # two processes may start at the same moment
        if not _exists(connection, str(table)):
            scripts = [schema.table_and_functions, schema.secondary_indexes, schema.snapshots_table]
        elif _version(connection, table) == schema.SCHEMA_VERSION and not _exists(connection, f"{table}_snapshots"):
            scripts = [schema.snapshots_table]  # it may have been dropped: it is a cache
        else:
            scripts = []
        for script in scripts:
            connection.execute(script(table).encode())
    check(pool, table)


def upgrade(pool: Pool, table: TableName) -> int:
    """Bring an older schema up to date, all or nothing, while appends wait; then check it. Tells the version found."""
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        connection.execute(_PATIENCE)
        _lock(connection, table)
        version = _version(connection, table)
        ((caller,),) = fetch(connection, _ROLE, [])
        if version < schema.SCHEMA_VERSION:
            _act_as_owner(connection, table)
        for older in range(version, schema.SCHEMA_VERSION):
            connection.execute(schema.upgrade_from(older, table).encode())
        fetch(connection, _BE_AGAIN, [caller])  # it may be a part of a larger transaction
    check(pool, table)
    return version


def check(pool: Pool, table: TableName) -> None:
    """Raise SchemaMissing or SchemaOutdated, which say what to do, unless this release can work with the schema."""
    with borrowed(pool) as connection, translated(may_have_written=False):
        version = _version(connection, table)
        ((cache,),) = fetch(connection, _CACHE, [f"{table}_sequence_number"])
    if version < schema.SCHEMA_VERSION:
        raise SchemaOutdated(
            f"{table} has schema version {version}, this release of eventstore needs {schema.SCHEMA_VERSION};"
            " upgrade_schema() brings it up to date"
        )
    if version > schema.SCHEMA_VERSION:
        raise SchemaOutdated(
            f"{table} has schema version {version}, this release of eventstore knows only {schema.SCHEMA_VERSION};"
            " update the package"
        )
    if cache != 1:
        sequence = Identifier(table.schema, f"{table.table}_sequence_number").as_string()
        raise SchemaOutdated(
            f"the sequence {table}_sequence_number has CACHE {cache}: each connection would draw numbers from a"
            f" stock of its own and break the order. ALTER SEQUENCE {sequence} CACHE 1"
        )


def _lock(connection: Connection[Any], table: TableName) -> None:
    connection.execute(_LOCK, (schema.LOCK_NAMESPACE, table.lock_key))


def _exists(connection: Connection[Any], relation: str) -> bool:
    ((exists,),) = fetch(connection, _EXISTS, [relation])
    return bool(exists)


def _version(connection: Connection[Any], table: TableName) -> int:
    if not _exists(connection, str(table)):
        raise SchemaMissing(f"there is no events table {table} in this database; create_schema() makes it")
    ((complete,),) = fetch(connection, _COMPLETE, [f"{table}_schema_version()", f"{table}_sequence_number"])
    if not complete:
        raise SchemaMissing(
            f"there is a table {table} without the functions and the sequence of an events table: either it is"
            " something else, then choose another name, or it was damaged, then restore it"
        )
    ((version,),) = fetch(connection, statements.schema_version(table), [])
    return int(version)


def _act_as_owner(connection: Connection[Any], table: TableName) -> None:
    # What an upgrade adds must belong to whom the rest belongs to, also when a superuser runs it.
    for (owner,) in fetch(connection, _OWNER, [str(table)]):  # none for a stranger, who will be refused
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(owner)))
