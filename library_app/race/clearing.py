"""The logs of the lab only grow while people race. A scheduler takes out what nobody looks at any more."""

from datetime import timedelta
from typing import Final, LiteralString

from psycopg.sql import SQL, Identifier

from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.race.postgres import NAIVE_TABLE, TABLE

KEPT: Final = timedelta(hours=1)
"""A race that runs just now must not lose its readers; the longest takes seconds."""

_SETTINGS: Final[LiteralString] = "SET LOCAL lock_timeout = '5s'"
_OPEN: Final[LiteralString] = "ALTER TABLE public.{} DISABLE TRIGGER {}"
_CLOSE: Final[LiteralString] = "ALTER TABLE public.{} ENABLE TRIGGER {}"
_CLEAR: Final[LiteralString] = "DELETE FROM public.{} WHERE occurred_at < now() - %s"


def clear(pool: Pool) -> int:
    """Delete from both logs the events of races that are over, all or nothing, and return how many.

    Only the owner of the tables can: an events table refuses every DELETE, for reasons that a lab does not have, so the
    trigger that says so is off until the transaction ends. Appends wait meanwhile. Sequence numbers go on.

    Args:
        pool: leads to the database as the role that ran `create_tables`, or as a member of it.

    Raises:
        StoreUnavailable: another role asks, or races did not come to an end for 5 seconds.
    """
    table, naive, refusal = Identifier(TABLE), Identifier(NAIVE_TABLE), Identifier(f"{TABLE}_refuse_change")
    with borrowed(pool) as connection, translated(may_have_written=True), connection.transaction():
        connection.execute(_SETTINGS)
        connection.execute(SQL(_OPEN).format(table, refusal))
        deleted = [connection.execute(SQL(_CLEAR).format(name), [KEPT]).rowcount for name in (table, naive)]
        connection.execute(SQL(_CLOSE).format(table, refusal))
    return sum(deleted)
