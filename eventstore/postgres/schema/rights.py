"""The rights of an application's role: as few as it can do with."""

from typing import Final, LiteralString

from psycopg.sql import SQL, Identifier

from eventstore.postgres.schema.names import TableName

_APPLICATION: Final[LiteralString] = """\
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {events} TO {role};
GRANT EXECUTE ON FUNCTION {append_one}, {append_group}, {append_batch}, {schema_version} TO {role};
"""
_SNAPSHOTS: Final[LiteralString] = "GRANT SELECT, INSERT, UPDATE, DELETE ON {snapshots} TO {role};\n"


def grants(table: TableName, role: str, *, snapshots: bool) -> str:
    """SQL that grants them."""

    def name(suffix: str) -> Identifier:
        return Identifier(table.schema, table.table + suffix)

    statements = SQL(_APPLICATION).format(
        schema=Identifier(table.schema),
        events=name(""),
        append_one=name("_append_one"),
        append_group=name("_append_group"),
        append_batch=name("_append_batch"),
        schema_version=name("_schema_version"),
        role=Identifier(role),
    )
    if snapshots:
        statements += SQL(_SNAPSHOTS).format(snapshots=name("_snapshots"), role=Identifier(role))
    return statements.as_string()
