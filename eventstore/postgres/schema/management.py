"""Making the schema, and making sure at start-up that it is the one this release works with."""

from eventstore.errors import SchemaMissing, SchemaOutdated
from eventstore.postgres import schema, statements
from eventstore.postgres.pool import Pool, borrowed, fetch
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated


def create(pool: Pool, table: TableName) -> None:
    """Create table, functions, triggers and indexes, all or nothing; if they exist, check them."""
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        lock = "SELECT pg_advisory_xact_lock(%s, %s)"  # two processes may start at the same moment
        connection.execute(lock, (schema.LOCK_NAMESPACE, table.lock_key))
        ((exists,),) = fetch(connection, "SELECT to_regclass(%s) IS NOT NULL", [str(table)])
        if not exists:
            connection.execute(schema.table_and_functions(table).encode())
            connection.execute(schema.secondary_indexes(table).encode())
    check(pool, table)


def check(pool: Pool, table: TableName) -> None:
    """Raise SchemaMissing or SchemaOutdated, which say what to do, unless this release can work with the schema."""
    found = """
        SELECT to_regclass(%s) IS NOT NULL AND to_regprocedure(%s) IS NOT NULL,
               (SELECT seqcache FROM pg_sequence WHERE seqrelid = to_regclass(%s))
    """
    with borrowed(pool) as connection, translated(may_have_written=False):
        names: list[object] = [str(table), f"{table}_schema_version()", f"{table}_sequence_number"]
        ((exists, cache),) = fetch(connection, found, names)
        if not exists:
            raise SchemaMissing(f"there is no events table {table} in this database; create_schema() makes it")
        ((version,),) = fetch(connection, statements.schema_version(table), [])
    if version != schema.SCHEMA_VERSION:
        raise SchemaOutdated(
            f"{table} has schema version {version}, this release of eventstore needs {schema.SCHEMA_VERSION}"
        )
    if cache != 1:
        raise SchemaOutdated(
            f"the sequence {table}_sequence_number has CACHE {cache}: each connection would draw numbers from a"
            f" stock of its own and break the order. ALTER SEQUENCE {table}_sequence_number CACHE 1"
        )
