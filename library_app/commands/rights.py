"""`library-app grant`: the role of `serve` gets what it needs, and nothing else."""

from typing import Final, LiteralString

import click
from psycopg.sql import SQL, Identifier

from eventstore.postgres import PostgresEventStore
from eventstore.postgres.pool import borrowed
from eventstore.postgres.sqlstates import translated
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.one_transaction import one_transaction
from library_app.composition import LIVE_MODELS
from library_app.config import SettingRefused
from library_app.race import postgres as race_lab
from slices.live import schema as live_tables

_EXISTS: Final = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)"
_APP: Final[LiteralString] = """
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO {role};
GRANT SELECT, INSERT ON lab_events_naive TO {role};
"""


@click.command(short_help="Let a role do what serve does, and nothing else.")
@click.argument("role")
def grant(role: str) -> None:
    """Let ROLE do what serve, seed and expire-holds do, and nothing else.

    In the database that LIBRARY_DSN names, as the owner of its tables. All or nothing; it may be repeated, and is to
    be after upgrade-db.
    """
    with one_clear_line():
        grant_all(database(), role)
    click.echo(f"{role} may serve.")


def grant_all(dsn: str, role: str) -> None:
    """Grant the rights on all tables, all or nothing.

    Args:
        dsn: libpq connection string, of the owner of the tables.
        role: who is to serve.

    Raises:
        SettingRefused: there is no such role.
        SchemaMissing, SchemaOutdated: there are no tables yet, or those of another release.
        StoreUnavailable: the server does not answer, or refuses.
    """
    with one_transaction(dsn) as pool:
        log, lab = PostgresEventStore(pool), PostgresEventStore(pool, race_lab.TABLE)
        log.check_schema()
        lab.check_schema()
        with borrowed(pool) as connection, translated(may_have_written=True):
            if connection.execute(_EXISTS, [role]).fetchone() != (True,):
                raise SettingRefused(f"{role}: there is no such role. Make it first: CREATE ROLE … LOGIN")
            connection.execute(log.grants_for(role, snapshots=True).encode())
            connection.execute(lab.grants_for(role).encode())
            connection.execute(SQL(_APP).format(role=Identifier(role)))
        for model in LIVE_MODELS:
            live_tables.grant(pool, model, role)
