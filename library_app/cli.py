"""The command line: `library-app demo` and `serve`, and the commands of `library_app.commands`."""

import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import click

from eventstore.postgres import PostgresEventStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError
from library_app.commands.book_import import import_books
from library_app.commands.clear_line import config_with_dsn, one_clear_line
from library_app.commands.event_files import export_events, import_from_file
from library_app.commands.rights import grant
from library_app.commands.seeding import seed, write_history
from library_app.commands.tables import create_or_upgrade_all, init_db, upgrade_db
from library_app.commands.tail import tail
from library_app.commands.upkeep import clear_lab, expire_holds, rebuild_models
from library_app.commands.verify import verify
from library_app.composition import LIVE_MODELS
from library_app.config import Config, kept_secret
from library_app.databases import check_pooler_and_replica
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.opening import opened_app
from library_app.race import postgres as race_lab
from library_app.race.clearing import clear
from library_app.server import WebServer, check_port
from slices.live.schema import check_tables

_PAGES_GROW_STALE: Final = "the next start makes a new one, and pages that are open now have to be loaded again"
_CLAIMS_ARE_LOST: Final = "the next start makes a new one, and addresses on record no longer compare with new ones"


@click.group()
@click.version_option(package_name="dynamic-event-streams", prog_name="library-app")
def main() -> None:
    """A library and a school on dynamic event streams.

    To look around: library-app demo. To operate it on a database of yours, say where that is in LIBRARY_DSN and make
    two secrets, LIBRARY_SECRET_KEY and LIBRARY_EMAIL_KEY (library_app/README.md tells more); then init-db and serve.
    """


@main.command(short_help="Everything in one, with a database of its own and a history.")
@click.option("--port", type=click.IntRange(1, 65_535), default=5000, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".data"),
    show_default=True,
    help="Folder of the database. Delete it to begin anew.",
)
def demo(port: int, data: Path) -> None:
    """Everything in one: a private PostgreSQL, six weeks of history, and the app in your browser."""
    with one_clear_line():
        kept = Config.read(
            secret_key=kept_secret(data, "secret-key", if_deleted=_PAGES_GROW_STALE),
            email_key=kept_secret(data, "email-key", if_deleted=_CLAIMS_ARE_LOST),
        )
        config = replace(kept, host="127.0.0.1", port=port)
        check_port(config.host, config.port)
        signal.signal(signal.SIGTERM, _leave)  # so that the database is stopped whenever we are told to go
        click.echo("Starting PostgreSQL ...")
        try:
            database = EmbeddedServer.start(data / "postgresql", database="library")
        except EmbeddedServerError as error:
            raise click.ClickException(str(error)) from None
        with database:
            config = replace(config, dsn=database.dsn)
            create_or_upgrade_all(config.dsn)
            write_history(config)
            with open_pool(config.dsn, max_size=2) as pool:
                clear(pool)
            _serve(config)


@main.command()
def serve() -> None:
    """Serve the app on the database that LIBRARY_DSN names."""
    with one_clear_line():
        config = config_with_dsn()
        check_port(config.host, config.port)
        with open_pool(config.dsn, max_size=2) as pool:
            PostgresEventStore(pool).check_schema()
            PostgresIdempotencyRecords(pool).check_schema()
            for model in LIVE_MODELS:
                check_tables(pool, model)
            race_lab.check_tables(pool)
            check_pooler_and_replica(config, pool)
        _serve(config)


def _serve(config: Config) -> None:
    address = f"http://{'[' + config.host + ']' if ':' in config.host else config.host}:{config.port}/"

    def announce() -> None:
        click.echo(f"\n  The Glass Library is open:  {click.style(address, bold=True)}\n  Stop it with Ctrl-C.\n")

    WebServer(partial(opened_app, config), config, announce).run()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


for _command in (
    init_db,
    upgrade_db,
    seed,
    import_books,
    expire_holds,
    clear_lab,
    rebuild_models,
    grant,
    export_events,
    import_from_file,
    verify,
    tail,
):
    main.add_command(_command)
