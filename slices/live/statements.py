"""The SQL of live models as static text. Values are parameters, names are identifiers, nothing is pasted."""

from functools import lru_cache
from typing import Final, LiteralString

from psycopg.sql import SQL, Identifier

from eventstore.postgres.schema import TableName

# Which generations of which models there are. The position of a generation is moved in the transaction that changes
# its rows: nothing is lost and nothing is done twice, whenever a process dies. Room for more versions of a row in its
# page, since it changes with every batch.
CREATE_MODELS: Final[LiteralString] = """
CREATE TABLE IF NOT EXISTS {models} (
    model           text COLLATE "C" NOT NULL,
    generation      integer NOT NULL CHECK (generation > 0),
    version         integer NOT NULL CHECK (version > 0),    -- of the code that makes the rows
    position        bigint  NOT NULL CHECK (position >= 0),  -- events up to here are in the rows
    is_serving      boolean NOT NULL,                        -- or being built
    stopped_because text,                                    -- NULL while it takes events in
    PRIMARY KEY (model, generation)
) WITH (fillfactor = 20)
"""

CREATE_ONE_SERVES: Final[LiteralString] = """
CREATE UNIQUE INDEX IF NOT EXISTS {one_serves} ON {models} (model) WHERE is_serving
"""

LOCK_SCHEMA: Final[LiteralString] = "SELECT pg_advisory_xact_lock(%(namespace)s, %(key)s)"

EXISTS: Final[LiteralString] = "SELECT to_regclass(%(name)s) IS NOT NULL"

SERVING: Final[LiteralString] = """
SELECT generation, version, position, is_serving, stopped_because
FROM {models}
WHERE model = %(model)s AND is_serving
"""

LOCK_SERVING: Final[LiteralString] = """
SELECT generation, version, position, is_serving, stopped_because
FROM {models}
WHERE model = %(model)s AND is_serving
FOR UPDATE
"""

STATUS: Final[LiteralString] = """
SELECT generation, version, position, (SELECT coalesce(max(sequence_number), 0) FROM {events}), stopped_because
FROM {models}
WHERE model = %(model)s AND is_serving
"""

ADD: Final[LiteralString] = """
INSERT INTO {models} (model, generation, version, position, is_serving)
SELECT %(model)s, coalesce(max(generation), 0) + 1, %(version)s, 0, %(is_serving)s
FROM {models}
WHERE model = %(model)s
RETURNING generation
"""

# Whoever thinks the generation is elsewhere, or in another role, moves nothing: a runner that has lost its lock, or one
# whose generation was swapped away.
MOVE: Final[LiteralString] = """
UPDATE {models}
SET position = %(to)s, stopped_because = NULL
WHERE model = %(model)s AND generation = %(generation)s AND position = %(from)s AND is_serving = %(is_serving)s
"""

STOP: Final[LiteralString] = """
UPDATE {models}
SET stopped_because = %(reason)s
WHERE model = %(model)s AND is_serving AND stopped_because IS DISTINCT FROM %(reason)s
"""

RETIRE: Final[LiteralString] = "UPDATE {models} SET is_serving = false WHERE model = %(model)s AND is_serving"

PROMOTE: Final[LiteralString] = """
UPDATE {models} SET is_serving = true WHERE model = %(model)s AND generation = %(generation)s
"""

LEFT_OVER: Final[LiteralString] = "SELECT generation FROM {models} WHERE model = %(model)s AND NOT is_serving"

DROP: Final[LiteralString] = "DROP TABLE IF EXISTS {rows}"

FORGET: Final[LiteralString] = "DELETE FROM {models} WHERE model = %(model)s AND generation = %(generation)s"

# What is made belongs to whom the rest belongs to, also when a superuser makes it.
OWNER: Final[LiteralString] = """
SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass(%(name)s) AND pg_has_role(relowner, 'MEMBER')
"""

# Who may read or write the positions may do the same with the rows.
RIGHTS: Final[LiteralString] = """
SELECT pg_get_userbyid(given.grantee), given.privilege_type
FROM pg_class c, aclexplode(c.relacl) given
WHERE c.oid = to_regclass(%(name)s) AND given.grantee <> 0 AND given.grantee <> c.relowner
  AND given.privilege_type = ANY(%(privileges)s)
ORDER BY 1, 2
"""

ACT_AS: Final[LiteralString] = "SET LOCAL ROLE {role}"

GRANTS: Final[dict[str, LiteralString]] = {
    "SELECT": "GRANT SELECT ON {rows} TO {role}",
    "INSERT": "GRANT INSERT ON {rows} TO {role}",
    "UPDATE": "GRANT UPDATE ON {rows} TO {role}",
    "DELETE": "GRANT DELETE ON {rows} TO {role}",
}

# What a crash takes back is taken back with its position, and is done again: nobody has to wait for the disk. Making an
# index may take its time. A server whose client has vanished lets go of the lock within half a minute.
SETTINGS: Final = b"""
SET default_transaction_isolation = 'read committed';
SET synchronous_commit = off;
SET statement_timeout = 0;
SET lock_timeout = '2s';
SET enable_seqscan = off;
SET tcp_keepalives_idle = 15;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3
"""

OWN_PROCESS: Final = "SELECT pg_backend_pid()"

TRY_LOCK: Final = "SELECT pg_try_advisory_lock(%(namespace)s, %(key)s)"

UNLOCK: Final = "SELECT pg_advisory_unlock(%(namespace)s, %(key)s)"

# Position and rows of one moment, however many statements read them.
ONE_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def models_table(table: TableName) -> str:
    """The name of the table of positions, without its schema."""
    return f"{table.table}_live_models"


def rows_table(table: TableName, model: str, generation: int) -> str:
    """The name of the table of a generation, without its schema."""
    return f"{table.table}_{model}_{generation}"


@lru_cache(maxsize=1000)
def composed(statement: LiteralString, table: TableName) -> bytes:
    """A statement with the names that depend on the events table alone."""
    models = models_table(table)
    return (
        SQL(statement)
        .format(
            models=Identifier(table.schema, models),
            one_serves=Identifier(f"{models}_one_serves"),
            events=Identifier(table.schema, table.table),
        )
        .as_bytes()
    )


def named(statement: LiteralString, rows: tuple[str, str], role: str = "") -> bytes:
    """A statement with the names of a generation's table and of a role."""
    return SQL(statement).format(rows=Identifier(*rows), role=Identifier(role)).as_bytes()
