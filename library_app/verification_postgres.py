"""Whether what guards the log is in force: an owner can switch it off, and a restore can leave it so."""

from collections.abc import Iterator
from typing import Final

from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated

_TRIGGERS: Final = {
    "events_before_insert": "events may become visible out of order",
    "events_draw_sequence_number": "whoever inserts can choose numbers",
    "events_refuse_change": "events can be changed and deleted",
}
_UNIQUE: Final = "events_event_id"
_IN_FORCE: Final = """
SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('public.events') AND tgenabled IN ('O', 'A')
UNION ALL
SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = to_regclass('public.events') AND indisunique AND indisvalid
"""


def missing_guards(pool: Pool) -> Iterator[str]:
    """Say which triggers of the events table do not work, and whether its event ids could occur twice.

    Raises:
        StoreUnavailable: the server does not answer.
    """
    with borrowed(pool) as connection, translated(may_have_written=False):
        in_force = {name for (name,) in connection.execute(_IN_FORCE).fetchall()}
    for trigger, consequence in _TRIGGERS.items():
        if trigger not in in_force:
            yield f"the trigger {trigger} is missing or switched off: {consequence}"
    if _UNIQUE not in in_force:
        yield f"the unique index {_UNIQUE} is missing: an append that is repeated may be stored twice"
