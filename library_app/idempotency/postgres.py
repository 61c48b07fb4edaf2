"""Idempotency records in PostgreSQL: shared by all processes of the app."""

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.types.json import Json

from eventstore import SchemaMissing, StoreUnavailable
from eventstore.postgres.pool import Pool, borrowed
from eventstore.postgres.sqlstates import translated
from library_app.idempotency.records import ABANDONED_AFTER_SECONDS, Answered, Claim, Claimed, InFlight, Request
from slices.web import JsonAnswer

_CLAIM: Final = """
INSERT INTO idempotency_keys (key, route, fingerprint, token, occurred_at, claimed_at)
VALUES (%(key)s, %(route)s, %(fingerprint)s, %(token)s, %(occurred_at)s, clock_timestamp())
ON CONFLICT DO NOTHING
RETURNING true
"""
# The row is locked by the UPDATE and looked at once more: of two who come after half a minute, one takes over. It is
# ours already if the answer to the same step was lost. And a claim from the future was made before the server's clock
# was put back: nobody should have to wait until that time comes again.
_TAKE_OVER: Final = """
UPDATE idempotency_keys
SET token = %(token)s, claimed_at = clock_timestamp()
WHERE key = %(key)s
  AND route = %(route)s
  AND fingerprint = %(fingerprint)s
  AND status IS NULL
  AND (
    token = %(token)s
    OR claimed_at NOT BETWEEN clock_timestamp() - make_interval(secs => %(seconds)s)
                          AND clock_timestamp() + make_interval(secs => %(seconds)s)
  )
RETURNING occurred_at
"""
_FIND: Final = "SELECT route, fingerprint, status, body FROM idempotency_keys WHERE key = %(key)s"
_FINISH: Final = """
UPDATE idempotency_keys
SET status = %(status)s, body = %(body)s
WHERE key = %(key)s AND token = %(token)s AND status IS NULL
"""
_ABANDON: Final = """
UPDATE idempotency_keys
SET claimed_at = '-infinity'
WHERE key = %(key)s AND token = %(token)s AND status IS NULL
"""
_MOST_OWED: Final = 1000
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('idempotency_keys', 0))"


class PostgresIdempotencyRecords:
    """Keeps keys in the table `idempotency_keys`, in autocommit steps.

    A step whose answer was lost with its connection is taken once more: the token makes that harmless, and a claim that
    nobody knows of would keep its own client out for half a minute. So a claim that could not be given back, too, is
    given back as soon as the database answers again.

    Raises:
        StoreUnavailable: from every method, if the database does not answer.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._owed = deque[tuple[str, UUID]](maxlen=_MOST_OWED)

    def create_schema(self) -> None:
        """Create the table if it does not exist."""
        script = files("library_app.idempotency").joinpath("idempotency_keys.sql").read_text(encoding="utf-8")
        with borrowed(self._pool) as connection, translated(may_have_written=True), connection.transaction():
            connection.execute(_LOCK)  # two processes may start at the same moment
            connection.execute(script.encode())

    def check_schema(self) -> None:
        """Make sure at start-up that the table is there.

        Raises:
            SchemaMissing: it is not.
        """
        rows = self._rows("SELECT to_regclass('idempotency_keys') IS NOT NULL", {}, writes=False)
        if not rows[0][0]:
            raise SchemaMissing("there is no table idempotency_keys in this database")

    def claim(self, key: str, request: Request, occurred_at: datetime) -> Claim:
        """See `IdempotencyRecords.claim`."""
        self._give_back()
        token = uuid4()
        try:
            return self._claim(key, request, occurred_at, token)
        except StoreUnavailable:
            self._owed.append((key, token))
            raise

    def _claim(self, key: str, request: Request, occurred_at: datetime, token: UUID) -> Claim:
        asked = {
            "key": key,
            "route": request.route,
            "fingerprint": request.fingerprint,
            "token": token,
            "occurred_at": occurred_at,
            "seconds": ABANDONED_AFTER_SECONDS,
        }
        if self._rows(_CLAIM, asked):
            return Claimed(request, token, occurred_at, again=False)
        taken_over = self._rows(_TAKE_OVER, asked)
        if taken_over:
            first: datetime = taken_over[0][0]
            return Claimed(request, token, first.astimezone(UTC), again=True)
        found = self._rows(_FIND, asked, writes=False)
        if not found:  # deleted between the statements: the key is new again
            return self._claim(key, request, occurred_at, token)
        route, fingerprint, status, body = found[0]
        known = Request(route, fingerprint)
        return InFlight(known) if status is None else Answered(known, (status, body))

    def finish(self, key: str, token: UUID, answer: JsonAnswer) -> None:
        """See `IdempotencyRecords.finish`."""
        status, body = answer
        self._rows(_FINISH, {"key": key, "token": token, "status": status, "body": Json(body)})

    def abandon(self, key: str, token: UUID) -> None:
        """See `IdempotencyRecords.abandon`."""
        try:
            self._rows(_ABANDON, {"key": key, "token": token})
        except StoreUnavailable:
            self._owed.append((key, token))
            raise

    def _give_back(self) -> None:
        with suppress(IndexError):  # others give back, too
            while self._owed:
                self.abandon(*self._owed.popleft())

    def _rows(self, statement: str, parameters: Mapping[str, object], *, writes: bool = True) -> list[tuple[Any, ...]]:
        try:
            return self._ask(statement, parameters, writes=writes)
        except StoreUnavailable as error:
            if not error.outcome_unknown:
                raise
            return self._ask(statement, parameters, writes=writes)

    def _ask(self, statement: str, parameters: Mapping[str, object], *, writes: bool) -> list[tuple[Any, ...]]:
        with borrowed(self._pool) as connection, translated(may_have_written=writes):
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []
