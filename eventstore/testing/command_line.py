"""What the commands of the race kit share: a server to work on, and lines that replace each other on a terminal."""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg

from eventstore.errors import EventStoreError
from eventstore.postgres.embedded import EmbeddedServerError, throwaway_server

_ERASE_LINE: Final = "\r\033[K"


@contextmanager
def server(dsn: str | None) -> Generator[str]:
    """The server that was named, or a throw-away one. Whatever goes wrong ends the program with one line."""
    # A connection that is cut on purpose is no news.
    logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())
    try:
        if dsn is not None:
            yield dsn
        else:
            with throwaway_server() as started:
                yield started.dsn
    except (EventStoreError, EmbeddedServerError, psycopg.Error) as error:
        sys.exit(f"error: {error}")


def say(line: str) -> None:
    """Print a line for good, in place of what `show` left."""
    sys.stdout.write((_ERASE_LINE if sys.stdout.isatty() else "") + line + "\n")
    sys.stdout.flush()


def show(line: str) -> None:
    """Print a line that the next one replaces; nothing if nobody is looking."""
    if sys.stdout.isatty():
        sys.stdout.write(_ERASE_LINE + line)
        sys.stdout.flush()
