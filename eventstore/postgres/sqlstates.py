"""The border between the driver's errors and ours: one table, so that nothing of psycopg leaks out."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg

from eventstore.errors import EventStoreError, InvalidEvent, SchemaMissing, StoreUnavailable

# The longest prefix of the SQLSTATE that stands here decides
# (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_MEANING: Final[dict[str, str]] = {
    "08": "connection lost",
    "22": "bad data",
    "23": "bad data",
    "3F000": "schema missing",  # invalid_schema_name
    "42P01": "schema missing",  # undefined_table
    "42883": "schema missing",  # undefined_function
    "54": "bad data",  # program limits: nesting, size
    "57P01": "connection lost",  # admin_shutdown
    "57P02": "connection lost",  # crash_shutdown
    "57P03": "refused",  # cannot_connect_now
    "57P05": "connection lost",  # idle_session_timeout
}


@contextmanager
def translated(*, may_have_written: bool) -> Generator[None]:
    """Turn every exception of the driver into one of `eventstore.errors`.

    Args:
        may_have_written: a lost connection leaves the outcome unknown. False while connecting and reading.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, may_have_written=may_have_written) from error


def _translate(error: psycopg.Error, *, may_have_written: bool) -> EventStoreError:
    reason = (error.diag.message_primary or str(error) or type(error).__name__).strip()
    if error.sqlstate is None:
        if isinstance(error, psycopg.DataError):  # refused by the client before sending
            return InvalidEvent(reason)
        return StoreUnavailable(reason, outcome_unknown=may_have_written)
    match _meaning_of(error.sqlstate):
        case "bad data":
            return InvalidEvent(f"PostgreSQL refuses the event: {reason}")
        case "schema missing":
            return SchemaMissing(f"{reason}; create_schema() or the SQL in initdb/ makes what is missing")
        case "connection lost":
            return StoreUnavailable(reason, outcome_unknown=may_have_written)
        case _:  # the statement was refused or cancelled and rolled back: locks, timeouts, rights, disk, memory
            return StoreUnavailable(f"{reason} (SQLSTATE {error.sqlstate})", outcome_unknown=False)


def _meaning_of(sqlstate: str) -> str:
    return _MEANING.get(sqlstate) or _MEANING.get(sqlstate[:2], "refused")
