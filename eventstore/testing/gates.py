"""How a session is held in the middle of an append, without sleeps and without hooks in the store.

On the store's own table the kit puts two triggers. Each takes, for a moment, a shared advisory lock whose key is made
from the session's `application_name` and the place reached. Nobody else uses that key, so nobody waits, unless the kit
has taken it exclusively before: then the gate is closed, for this one session at this one place. Who is held and who
waits for whom is read from the server (pg_blocking_pids), never guessed from the clock.

The idea is that of PostgreSQL's own isolation tests (src/test/isolation), brought to stores that cannot be stepped
through from outside.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, LiteralString

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from eventstore.testing.arena import Arena


class Gate(Enum):
    """A place where the kit can hold a session. Rows are counted from the first one that the session ever writes."""

    BEFORE_FIRST_ROW = "row 1"
    """Guard and number are determined, the row is not written yet."""

    BEFORE_SECOND_ROW = "row 2"
    """The first row of a batch is written, the second is not."""

    BEFORE_COMMIT = "commit"
    """All is written, nothing is visible."""

    def __str__(self) -> str:
        return f"at {self.value}"


@dataclass(frozen=True, slots=True)
class Backend:
    """One connection of a session at one moment.

    Attributes:
        session: whose.
        pid: its process at the server.
        blocked_by: the processes it waits for.
        drawn: the numbers of the first rows that its open transaction has written or is about to write.
        doing: what PostgreSQL says about it, for messages.
    """

    session: str
    pid: int
    blocked_by: frozenset[int]
    drawn: tuple[int, ...]
    doing: str


# Of two triggers for the same moment the one whose name sorts first fires first: "~" comes after every letter, so the
# store's own trigger has drawn the number before the session is held. The number is announced as a lock, too, since
# nothing else of an open transaction can be seen from outside. The store's own lock_timeout does not count at a gate.
_GATE_FUNCTION: Final[LiteralString] = """
CREATE FUNCTION {function}() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog SET lock_timeout = 0
AS $$
DECLARE
    place    text := TG_ARGV[0];
    ordinal  integer;
    number   bigint;
    gate     bigint;
BEGIN
    IF place = 'row' THEN
        ordinal := 1 + coalesce(nullif(current_setting('race_kit.rows', true), ''), '0')::integer;
        IF ordinal > 2 THEN
            RETURN NEW;
        END IF;
        PERFORM set_config('race_kit.rows', ordinal::text, false);
        number := to_jsonb(NEW) ->> {number};
        PERFORM pg_advisory_xact_lock_shared({announcements}, (number % 2147483647)::integer);
        place := 'row ' || ordinal;
    END IF;
    gate := hashtextextended(current_setting('application_name') || ' ' || place, 0);
    PERFORM pg_advisory_lock_shared(gate);
    PERFORM pg_advisory_unlock_shared(gate);
    RETURN NEW;
END
$$
"""
_BEFORE_ROW: Final[LiteralString] = """
CREATE TRIGGER "~race_kit_before_row" BEFORE INSERT ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}('row')
"""
_BEFORE_COMMIT: Final[LiteralString] = """
CREATE CONSTRAINT TRIGGER "~race_kit_before_commit" AFTER INSERT ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {function}('commit')
"""
_CLOSE: Final[LiteralString] = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
_OPEN: Final[LiteralString] = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_BACKENDS: Final[LiteralString] = """
SELECT substr(activity.application_name, length(%(arena)s) + 1),
       activity.pid,
       pg_blocking_pids(activity.pid),
       ARRAY(
           SELECT announced.objid::bigint
           FROM pg_locks announced
           WHERE announced.pid = activity.pid AND announced.locktype = 'advisory' AND announced.granted
             AND announced.classid = %(announcements)s AND announced.objsubid = 2
           ORDER BY 1
       ),
       concat_ws(' ', activity.state, activity.wait_event_type, activity.wait_event)
FROM pg_stat_activity activity
WHERE starts_with(activity.application_name, %(arena)s) AND activity.datname = current_database()
"""
_TERMINATE: Final[LiteralString] = """
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE application_name = %s AND datname = current_database()
"""

_ANNOUNCEMENTS: Final = 0x52616365
""""Race": the first key of the locks that announce a number."""


class Gates:
    """The gates on one events table, all open at first, and a watch on the sessions. Not for several threads.

    Args:
        watching: a connection of its own, in autocommit mode, of a role that may create triggers on the table.
        arena: whose sessions are held and watched.
    """

    def __init__(self, watching: psycopg.Connection[Any], arena: Arena) -> None:
        self._connection = watching
        self._arena = arena
        self.pid = watching.info.backend_pid
        table = arena.table
        names = {
            "table": table.identifier,
            "function": Identifier(table.schema, f"{table.name}_race_kit_gate"),
            "announcements": Literal(_ANNOUNCEMENTS),
            "number": Literal(table.number),
        }
        for statement in (_GATE_FUNCTION, _BEFORE_ROW, _BEFORE_COMMIT):
            watching.execute(SQL(statement).format(**names))

    def close(self, session: str, gate: Gate) -> None:
        """Let the session wait when it comes to this place next."""
        self._connection.execute(_CLOSE, [self._key(session, gate)])

    def open(self, session: str, gate: Gate) -> None:
        """Let the session go on."""
        self._connection.execute(_OPEN, [self._key(session, gate)])

    def open_all(self) -> None:
        """Let everybody go on."""
        self._connection.execute("SELECT pg_advisory_unlock_all()")

    def backends(self) -> list[Backend]:
        """Every connection of every session, and what it waits for at this moment."""
        prefix = self._arena.application_name("")
        rows = self._connection.execute(_BACKENDS, {"arena": prefix, "announcements": _ANNOUNCEMENTS}).fetchall()
        return [
            Backend(name, pid, frozenset(blockers), tuple(drawn), doing) for name, pid, blockers, drawn, doing in rows
        ]

    def terminate(self, session: str) -> None:
        """End the session's connections, as an administrator or a crashed client would."""
        self._connection.execute(_TERMINATE, [self._arena.application_name(session)])

    def _key(self, session: str, gate: Gate) -> str:
        return f"{self._arena.application_name(session)} {gate.value}"
