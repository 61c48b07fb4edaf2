"""What all commands share: where the database is, and one clear line for what goes wrong."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import click
from psycopg.errors import InsufficientPrivilege

from eventstore import EventStoreError, SchemaMissing, SchemaOutdated, StoreUnavailable
from library_app.config import Config, SettingRefused
from library_app.server import PortTaken
from slices.codec import UnknownEventType, UnreadableEvent
from slices.command_loop import TooMuchContention
from slices.live.rebuilding import RebuildUnderWay

NOT_NEEDED: Final = "nothing is signed or hashed"


def config_with_dsn(*, secret_key: str | None = None, email_key: str | None = None) -> Config:
    """The settings of a command that works on a database; see `Config.read`.

    Raises:
        SettingRefused: also if LIBRARY_DSN is not set.
    """
    config = Config.read(secret_key=secret_key, email_key=email_key)
    if not config.dsn:
        raise SettingRefused("LIBRARY_DSN is not set, for instance: LIBRARY_DSN=postgresql://user@host/library")
    return config


def database() -> str:
    """The connection string of the database, for a command that needs no secret.

    Raises:
        SettingRefused: see `config_with_dsn`.
    """
    return config_with_dsn(secret_key=NOT_NEEDED, email_key=NOT_NEEDED).dsn


@contextmanager
def one_clear_line() -> Generator[None]:
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
            f"the schema of the database does not fit: {error}. An older one is upgraded by: library-app upgrade-db"
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
    except sqlite3.Error as error:
        raise click.ClickException(
            f"the folder for temporary files cannot be used ({error}); TMPDIR names it"
        ) from None
