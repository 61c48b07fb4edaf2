"""`library-app init-db` and `upgrade-db`: the tables of event store and app, all of them or none."""

import click

from eventstore import SchemaOutdated
from eventstore.postgres import PostgresEventStore
from eventstore.postgres.schema import SCHEMA_VERSION
from library_app.commands.clear_line import database, one_clear_line
from library_app.commands.one_transaction import one_transaction
from library_app.composition import LIVE_MODELS
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.race import postgres as race_lab
from slices.live import schema as live_tables


@click.command("init-db", short_help="Create the tables in the database.")
def init_db() -> None:
    """Create the tables in the database that LIBRARY_DSN names.

    Creates what is missing and leaves alone what is there, so it may be repeated. Tables of an older release are
    refused: bring them up to date with upgrade-db, when nothing of the older release has to start any more.
    """
    with one_clear_line():
        create_all(database())
    click.echo("The schema is in place.")


@click.command("upgrade-db", short_help="Bring the tables of an older release up to date.")
def upgrade_db() -> None:
    """Bring the tables of an older release up to date.

    In the database that LIBRARY_DSN names, as the owner of its tables. All or nothing: if it fails or is interrupted,
    nothing has changed. Processes of the older release may go on working meanwhile and afterwards (an append waits
    until it is done), but they no longer start. It may be repeated.
    """
    with one_clear_line():
        found = upgrade_all(database())
    for table, version in found.items():
        if version == SCHEMA_VERSION:
            click.echo(f"{table}: version {version}, which is up to date.")
        else:
            click.echo(f"{table}: upgraded from version {version} to {SCHEMA_VERSION}.")


def create_all(dsn: str) -> None:
    """Create what is missing, all or nothing.

    Raises:
        SchemaOutdated: there are tables of another version. Nothing was created.
        StoreUnavailable: the server does not answer, or the right to create tables is missing.
    """
    with one_transaction(dsn) as pool:
        PostgresEventStore(pool).create_schema()
        PostgresIdempotencyRecords(pool).create_schema()
        for model in LIVE_MODELS:
            live_tables.create_tables(pool, model)
        race_lab.create_tables(pool)


def upgrade_all(dsn: str) -> dict[str, int]:
    """Bring everything up to date and create what the older release did not have, all or nothing.

    Returns:
        the version that each events table had before.

    Raises:
        SchemaMissing: there are no tables of any release.
        SchemaOutdated: there are those of a newer one.
        StoreUnavailable: the upgrade was refused or interrupted. Nothing has changed.
    """
    with one_transaction(dsn) as pool:
        found = {"events": PostgresEventStore(pool).upgrade_schema()}
        PostgresIdempotencyRecords(pool).create_schema()
        for model in LIVE_MODELS:
            live_tables.create_tables(pool, model)
        found[race_lab.TABLE] = race_lab.upgrade_tables(pool)
    return found


def create_or_upgrade_all(dsn: str) -> None:
    """For a database that nobody else uses, such as the demo's. Raises what `upgrade_all` raises."""
    try:
        create_all(dsn)
    except SchemaOutdated:
        upgrade_all(dsn)
