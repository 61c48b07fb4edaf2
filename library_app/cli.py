"""The command line: `library-app demo`, `serve`, `init-db`, `seed`, `expire-holds`, `clear-lab` and `rebuild`."""

import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
from psycopg.errors import InsufficientPrivilege

from eventstore import EventStoreError, FilterBuilder, SchemaMissing, SchemaOutdated, StoreUnavailable
from eventstore.postgres import PostgresEventStore, PostgresSnapshotStore, open_pool
from eventstore.postgres.embedded import EmbeddedServer, EmbeddedServerError
from library_app.composition import LIVE_MODELS
from library_app.config import Config, SettingRefused, kept_secret
from library_app.demo import history
from library_app.edge import utc_now
from library_app.hold_shelf import look_over
from library_app.idempotency.postgres import PostgresIdempotencyRecords
from library_app.keyed_hash import keyed_hash
from library_app.opening import opened_app
from library_app.race import postgres as race_lab
from library_app.race.clearing import clear
from library_app.server import PortTaken, WebServer, check_port
from slices.codec import UnknownEventType, UnreadableEvent
from slices.command_loop import CommandLoop, TooMuchContention
from slices.live.model import LiveModel
from slices.live.reading import Reading
from slices.live.rebuilding import RebuildUnderWay, rebuild
from slices.live.schema import check_tables, create_tables
from slices.questions import Replaying
from slices.snapshotted import Snapshotted

_NOT_NEEDED: Final = "nothing is signed or hashed"
_PAGES_GROW_STALE: Final = "the next start makes a new one, and pages that are open now have to be loaded again"
_CLAIMS_ARE_LOST: Final = "the next start makes a new one, and addresses on record no longer compare with new ones"


@click.group()
@click.version_option(package_name="dynamic-event-streams")
def main() -> None:
    """A library and a school on dynamic event streams."""


@main.command()
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
    with _one_clear_line():
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
            _create_schema(config.dsn)
            _seed(config)
            with open_pool(config.dsn, max_size=2) as pool:
                clear(pool)
            _serve(config)


@main.command()
def serve() -> None:
    """Serve the app on the database that LIBRARY_DSN names."""
    with _one_clear_line():
        config = _config_with_dsn()
        check_port(config.host, config.port)
        with open_pool(config.dsn, max_size=2) as pool:
            PostgresEventStore(pool).check_schema()
            PostgresIdempotencyRecords(pool).check_schema()
            for model in LIVE_MODELS:
                check_tables(pool, model)
            race_lab.check_tables(pool)
        _serve(config)


@main.command("init-db")
def init_db() -> None:
    """Create the tables in the database that LIBRARY_DSN names, or bring those of an older release up to date."""
    with _one_clear_line():
        _create_schema(_config_with_dsn(secret_key=_NOT_NEEDED, email_key=_NOT_NEEDED).dsn)
    click.echo("The schema is in place.")


@main.command()
def seed() -> None:
    """Fill an empty log with six weeks of plausible history."""
    with _one_clear_line():
        config = _config_with_dsn(secret_key=_NOT_NEEDED)
        with open_pool(config.dsn, max_size=2) as pool:
            PostgresEventStore(pool).check_schema()
        if not _seed(config):
            click.echo("The log is not empty; nothing was written.")


@main.command("expire-holds")
def expire_holds() -> None:
    """End the holds that are past their time, and hold the copies for the next readers. For a scheduler."""
    with _one_clear_line():
        config = _config_with_dsn(secret_key=_NOT_NEEDED, email_key=_NOT_NEEDED)
        with open_pool(config.dsn, max_size=2) as pool:
            store = PostgresEventStore(pool)
            store.check_schema()
            questions = Snapshotted(Replaying(store), PostgresSnapshotStore(pool))
            click.echo(look_over(questions, CommandLoop(store), utc_now()))


@main.command("clear-lab")
def clear_lab() -> None:
    """Delete the events of old races from the logs of the race lab, as the owner of its tables. For a scheduler."""
    with _one_clear_line():
        config = _config_with_dsn(secret_key=_NOT_NEEDED, email_key=_NOT_NEEDED)
        with open_pool(config.dsn, max_size=2) as pool:
            race_lab.check_tables(pool)
            deleted = clear(pool)
        click.echo(f"{deleted} {'event' if deleted == 1 else 'events'} of old races deleted.")


@main.command("rebuild")
@click.argument("names", nargs=-1, type=click.Choice([model.name for model in LIVE_MODELS]), metavar="[MODEL]...")
def rebuild_models(names: tuple[str, ...]) -> None:
    """Make live models anew from the log, all or those named; the old rows answer until the new ones are complete."""
    with _one_clear_line():
        dsn = _config_with_dsn(secret_key=_NOT_NEEDED, email_key=_NOT_NEEDED).dsn
        with open_pool(dsn, max_size=2) as pool:
            store = PostgresEventStore(pool)
            store.check_schema()
            for model in LIVE_MODELS:
                if not names or model.name in names:
                    _rebuild(store, dsn, model)


def _config_with_dsn(*, secret_key: str | None = None, email_key: str | None = None) -> Config:
    config = Config.read(secret_key=secret_key, email_key=email_key)
    if not config.dsn:
        raise SettingRefused("LIBRARY_DSN is not set, for instance: LIBRARY_DSN=postgresql://user@host/library")
    return config


def _create_schema(dsn: str) -> None:
    with open_pool(dsn, max_size=2) as pool:
        store = PostgresEventStore(pool)
        try:
            store.create_schema()
        except SchemaOutdated:
            store.upgrade_schema()  # raises it again if the database is newer than this release
        PostgresIdempotencyRecords(pool).create_schema()
        for model in LIVE_MODELS:
            create_tables(pool, model)
        race_lab.create_tables(pool)


def _seed(config: Config) -> bool:
    with open_pool(config.dsn, max_size=2) as pool:
        store = PostgresEventStore(pool)
        if store.query(FilterBuilder().matching_any_event(), limit=1).events:
            return False
        steps = history.plan(utc_now(), partial(keyed_hash, config.email_key))
        loop = CommandLoop(store)
        with click.progressbar(steps, label="Writing six weeks of history") as shown:
            for step in shown:
                step.carry_out(loop)
    return True


def _rebuild(store: PostgresEventStore, dsn: str, model: LiveModel[Any]) -> None:
    head = store.query(model.boundary, limit=1).position
    with click.progressbar(length=head, label=f"Rebuilding {model.name}") as shown:
        made = rebuild(
            model, Reading(store), dsn, progress=lambda position: shown.update(min(position, head) - shown.pos)
        )
    click.echo(f"{model.name} answers from generation {made.number}, up to event #{made.position}.")


def _serve(config: Config) -> None:
    address = f"http://{'[' + config.host + ']' if ':' in config.host else config.host}:{config.port}/"

    def announce() -> None:
        click.echo(f"\n  The Glass Library is open:  {click.style(address, bold=True)}\n  Stop it with Ctrl-C.\n")

    WebServer(partial(opened_app, config), config, announce).run()


@contextmanager
def _one_clear_line() -> Generator[None]:
    """Say what is wrong and what to do, without a traceback, and exit with code 1."""
    try:
        yield
    except (SettingRefused, PortTaken, RebuildUnderWay, UnknownEventType, UnreadableEvent) as error:
        raise click.ClickException(str(error)) from None
    except TooMuchContention as error:
        raise click.ClickException(f"others were busy with the same: {error}. Run it again") from None
    except SchemaMissing:
        raise click.ClickException("the database has no tables for us yet. Run: library-app init-db") from None
    except SchemaOutdated as error:
        raise click.ClickException(
            f"the schema of the database does not fit: {error}. An older one is upgraded by: library-app init-db"
        ) from None
    except StoreUnavailable as error:
        reason = " ".join(str(error).split())
        if isinstance(error.__cause__, InsufficientPrivilege):
            raise click.ClickException(f"the role of LIBRARY_DSN has not the right to do this: {reason}") from None
        raise click.ClickException(
            f"the database does not answer: {reason}. Is it running, and is LIBRARY_DSN right?"
        ) from None
    except EventStoreError as error:
        raise click.ClickException(str(error)) from None


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
