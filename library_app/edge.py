"""The edge between HTTP and the commands of the slices: clock, correlation, and once is once."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from flask import Flask, Response, after_this_request, has_request_context, request

from eventstore import EventIdReused, EventStore, StoreUnavailable, uuid7
from library_app.choices import choices
from library_app.glass.decision import address_of
from library_app.idempotency import Answered, Claimed, IdempotencyRecords, InFlight, Request
from library_app.idempotency.recovery import answer_from_log
from library_app.keyed_hash import keyed_hash
from library_app.problems import RequestRefused
from slices.explaining import explain
from slices.grounds import Grounds, grounds_of
from slices.origin import Origin
from slices.outcome import Outcome
from slices.questions import Questions
from slices.web import JsonAnswer

KEY_HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotency-Replayed"
CORRELATION_HEADER: Final = "X-Correlation-ID"

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_EVENT_IDS: Final = UUID("6a1f9a2e-5f0b-5c57-9c3e-0b6d1f6e8a11")
"""Namespace of the event ids that are made from an Idempotency-Key. Changing it forgets every open claim."""

_CORRELATION: Final = "library_app.correlation_id"


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FlaskCommandEdge:
    """Implements `slices.web.CommandEdge` for requests of Flask.

    Attributes:
        store: asked what a refusal follows from and, after a crash, what an unanswered request has written.
        questions: asked for names to pick from.
        records: what was answered to which key.
        clock: the current time in UTC.
        email_key: addresses are hashed with it.
    """

    store: EventStore
    questions: Questions
    records: IdempotencyRecords
    clock: Callable[[], datetime] = utc_now
    email_key: str = field(kw_only=True)

    def now(self) -> datetime:
        """See `CommandEdge.now`."""
        return self.clock()

    def origin(self) -> Origin:
        """See `CommandEdge.origin`."""
        return Origin.new(correlation_id())

    def choices(self, key: str) -> Mapping[str, str]:
        """See `CommandEdge.choices`."""
        return choices(self.questions, key)

    def decision_page(self, command: object, outcome: Outcome | None = None) -> str:
        """See `CommandEdge.decision_page`."""
        return address_of(command, outcome)

    def grounds(self, command: object, outcome: Outcome) -> Grounds:
        """See `CommandEdge.grounds`."""
        return grounds_of(command, explain(self.store, command, outcome.report.read_up_to))

    def keyed_hash(self, text: str) -> str:
        """See `CommandEdge.keyed_hash`."""
        return keyed_hash(self.email_key, text)

    def once(
        self,
        route: str,
        fields: Mapping[str, Any],
        ids: Collection[str],
        answer: Callable[[datetime, Origin], JsonAnswer],
    ) -> JsonAnswer:
        """See `CommandEdge.once`.

        Raises:
            RequestRefused: 400 for a malformed key, 422 for a key that stands for another request, 409 while the same
                request is being carried out.
        """
        key = request.headers.get(KEY_HEADER)
        if key is None:
            return answer(self.now(), self.origin())
        if not _KEY.fullmatch(key):
            raise RequestRefused(400, f"{KEY_HEADER} must be 1 to 255 visible ASCII characters.")
        asked = Request(route, _fingerprint(fields))
        match self.records.claim(key, asked, self.now()):
            case Answered(known, recorded):
                _refuse_another_request(known, asked)
                after_this_request(_mark_as_replayed)
                return recorded
            case InFlight(known):
                _refuse_another_request(known, asked)
                raise RequestRefused(
                    409, "A request with this key is being carried out. Ask again shortly.", {"Retry-After": "1"}
                )
            case Claimed() as claim:
                origin = _origin_of(route, key)
                recover = partial(answer_from_log, self.store, claim.occurred_at, origin, ids)
                return self._carry_out(key, claim, partial(answer, claim.occurred_at, origin), recover)

    def _carry_out(
        self, key: str, claim: Claimed, decide: Callable[[], JsonAnswer], recover: Callable[[], JsonAnswer | None]
    ) -> JsonAnswer:
        try:
            given = recover() if claim.again else None
            if given is None:
                given = _decide(decide, recover)
            self.records.finish(key, claim.token, given)
        except Exception:
            # Nothing was decided, or nobody knows: whoever asks next looks into the log first. If not even that can be
            # noted, they may have to wait for half a minute, and what is told is the first thing that went wrong.
            with suppress(StoreUnavailable):
                self.records.abandon(key, claim.token)
            raise
        return given


def _decide(decide: Callable[[], JsonAnswer], recover: Callable[[], JsonAnswer | None]) -> JsonAnswer:
    try:
        return decide()
    except EventIdReused:
        # Whoever held the claim before was slow, not dead, and has just written.
        written = recover()
        if written is None:
            raise
        return written


def install_correlation(app: Flask) -> None:
    """Give every response the correlation id of its request; a client may choose it."""

    def tell(response: Response) -> Response:
        response.headers[CORRELATION_HEADER] = str(correlation_id())
        return response

    app.after_request(tell)


def correlation_id() -> UUID:
    """The correlation id of the current request: the client's if it is a UUID, else a new one."""
    if not has_request_context():
        return uuid7()
    known = request.environ.get(_CORRELATION)
    if isinstance(known, UUID):
        return known
    try:
        chosen = UUID(request.headers.get(CORRELATION_HEADER, ""))
    except ValueError:
        chosen = uuid7()
    request.environ[_CORRELATION] = chosen
    return chosen


def _origin_of(route: str, key: str) -> Origin:
    command = uuid5(_EVENT_IDS, f"{route}\n{key}")
    return Origin(command, correlation_id(), lambda index: uuid5(_EVENT_IDS, f"{route}\n{key}\n{index}"))


def _fingerprint(fields: Mapping[str, Any]) -> str:
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _refuse_another_request(known: Request, asked: Request) -> None:
    if known != asked:
        raise RequestRefused(422, f"This {KEY_HEADER} was used for another request. Make a new key.")


def _mark_as_replayed(response: Response) -> Response:
    response.headers[REPLAYED_HEADER] = "true"
    return response
