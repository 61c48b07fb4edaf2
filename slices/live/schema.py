"""Making the tables of live models, letting a role use them, and making sure at start-up that they are there."""

from typing import Any, Final

from eventstore import SchemaMissing
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.schema import TableName
from eventstore.postgres.sqlstates import translated
from slices.live import statements
from slices.live.connection import lock_keys
from slices.live.generations import Generations
from slices.live.model import LiveModel

_ALL_MODELS: Final = "models"


def create_tables(pool: Pool, model: LiveModel[Any], table: str = "events") -> None:
    """Create what is missing: the table of positions, and a generation without rows, that the runner fills.

    Rows of another version are left as they are: whoever runs the model builds them anew.

    Raises:
        StoreUnavailable: the server does not answer, or the right to create tables is missing.
    """
    name = TableName.parse(table)
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        # Two processes may start at the same moment.
        connection.execute(statements.LOCK_SCHEMA, lock_keys(name, _ALL_MODELS, "schema"))
        for statement in (statements.CREATE_MODELS, statements.CREATE_ONE_SERVES):
            connection.execute(statements.composed(statement, name))
        generations = Generations(connection, name, model)
        if _what_is_missing(generations):
            connection.execute(statements.composed(statements.RETIRE, name), {"model": model.name})
            generations.index(generations.add(is_serving=True))


def grant(pool: Pool, model: LiveModel[Any], role: str, table: str = "events") -> None:
    """Let a role ask the model and keep it up to date: its present rows, whose rights later generations inherit.

    Raises:
        SchemaMissing: its tables do not exist.
        StoreUnavailable: the server does not answer, or refuses.
    """
    name = TableName.parse(table)
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        generations = Generations(connection, name, model)
        rows = generations.rows(generations.serving()).table
        for granted in (statements.models_table(name), rows):
            for statement in statements.GRANTS.values():
                connection.execute(statements.named(statement, (name.schema, granted), role))


def check_tables(pool: Pool, model: LiveModel[Any], table: str = "events") -> None:
    """Make sure that the model can be asked.

    Raises:
        SchemaMissing: its tables do not exist; `create_tables` makes them.
    """
    name = TableName.parse(table)
    with borrowed(pool) as connection, translated(may_have_written=False):
        missing = _what_is_missing(Generations(connection, name, model))
    if missing:
        raise SchemaMissing(missing)


def _what_is_missing(generations: Generations) -> str:
    """Say it; nothing if the model can be asked."""
    try:
        rows = generations.rows(generations.serving())
    except SchemaMissing as reason:
        return str(reason)
    given = {"name": f"{rows.schema}.{rows.table}"}
    ((exists,),) = generations.connection.execute(statements.EXISTS, given).fetchall()
    return "" if exists else f"there is no table {given['name']} in this database"
