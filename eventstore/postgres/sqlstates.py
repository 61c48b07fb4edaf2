"""The border between the driver's errors and ours: one table, so that nothing of psycopg leaks out."""

from typing import Final

import psycopg
from psycopg_pool import PoolClosed

from eventstore.errors import EventStoreError, InvalidEvent, SchemaMissing, StoreUnavailable

# The longest prefix of the SQLSTATE that stands here decides
# (https://www.postgresql.org/docs/current/errcodes-appendix.html). Everything else means that the statement was refused
# or cancelled and its transaction rolled back: locks, timeouts, rights, read-only, disk, memory.
MEANING: Final[dict[str, str]] = {
    "08": "in doubt",  # connection exceptions; PgBouncer says so when it loses the server
    "22": "bad data",
    "23": "bad data",
    "25P03": "refused",  # idle_in_transaction_session_timeout: the transaction was open, so it was never committed
    "3F000": "schema missing",  # invalid_schema_name
    "40003": "in doubt",  # statement_completion_unknown
    "42P01": "schema missing",  # undefined_table
    "42883": "schema missing",  # undefined_function
    "54": "bad data",  # program limits: nesting, size
    "57P": "in doubt",  # shutdown by an administrator or a crash, perhaps said by a pooler in between
}
_ENDS_THE_SESSION: Final = ("FATAL", "PANIC")


class translated:  # noqa: N801 (read as a verb: `with translated(…):`)
    """Turn every exception of the driver in the block into one of `eventstore.errors`.

    Args:
        may_have_written: a lost connection leaves the outcome unknown. False while connecting and reading.
    """

    __slots__ = ("_may_have_written",)

    def __init__(self, *, may_have_written: bool) -> None:
        self._may_have_written = may_have_written

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, psycopg.Error):
            raise _translate(error, may_have_written=self._may_have_written) from error


def may_pass(error: StoreUnavailable) -> bool:
    """Tell whether waiting may help: not if the pool is closed, a right is missing, or the statement is wrong."""
    cause = error.__cause__
    return not isinstance(cause, PoolClosed) and not (isinstance(cause, psycopg.Error) and _is_refusal(cause.sqlstate))


def _is_refusal(sqlstate: str | None) -> bool:
    return sqlstate is not None and sqlstate.startswith("42")  # syntax error or access rule violation


def _translate(error: psycopg.Error, *, may_have_written: bool) -> EventStoreError:
    reason = (error.diag.message_primary or str(error) or type(error).__name__).strip()
    if error.sqlstate is None:
        if isinstance(error, psycopg.DataError):  # refused by the client before sending
            return InvalidEvent(reason)
        return StoreUnavailable(reason, outcome_unknown=may_have_written)
    match _meaning_of(error.sqlstate, error.diag.severity_nonlocalized):
        case "bad data":
            return InvalidEvent(f"PostgreSQL refuses the event: {reason}")
        case "schema missing":
            return SchemaMissing(f"{reason}; create_schema() or the SQL in initdb/ makes what is missing")
        case "in doubt":
            return StoreUnavailable(reason, outcome_unknown=may_have_written)
        case _:
            return StoreUnavailable(f"{reason} (SQLSTATE {error.sqlstate})", outcome_unknown=False)


def _meaning_of(sqlstate: str, severity: str | None) -> str:
    for length in (5, 3, 2):
        if meaning := MEANING.get(sqlstate[:length]):
            return meaning
    # A session that ends may do so after the commit and before the answer. An error within it is always before.
    return "in doubt" if severity in _ENDS_THE_SESSION else "refused"
