"""Idempotency records in memory: for tests and for a single process."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from library_app.idempotency.records import ABANDONED_AFTER_SECONDS, Answered, Claim, Claimed, InFlight, Request
from slices.web import JsonAnswer


@dataclass(frozen=True, slots=True)
class _Record:
    request: Request
    token: UUID
    occurred_at: datetime
    claimed_at: float
    answer: JsonAnswer | None = None


@dataclass(slots=True)
class InMemoryIdempotencyRecords:
    """Keeps everything in a dictionary; thread-safe.

    Attributes:
        seconds: a clock that only runs forward.
    """

    seconds: Callable[[], float] = time.monotonic
    _records: dict[str, _Record] = field(default_factory=dict[str, _Record])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self, key: str, request: Request, occurred_at: datetime) -> Claim:
        """See `IdempotencyRecords.claim`."""
        with self._lock:
            known = self._records.get(key)
            if known is None:
                self._records[key] = _Record(request, uuid4(), occurred_at, self.seconds())
                return Claimed(request, self._records[key].token, occurred_at, again=False)
            if known.answer is not None:
                return Answered(known.request, known.answer)
            if self.seconds() - known.claimed_at < ABANDONED_AFTER_SECONDS or known.request != request:
                return InFlight(known.request)
            self._records[key] = replace(known, token=uuid4(), claimed_at=self.seconds())
            return Claimed(known.request, self._records[key].token, known.occurred_at, again=True)

    def finish(self, key: str, token: UUID, answer: JsonAnswer) -> None:
        """See `IdempotencyRecords.finish`."""
        self._change(key, token, lambda record: replace(record, answer=answer))

    def abandon(self, key: str, token: UUID) -> None:
        """See `IdempotencyRecords.abandon`."""
        self._change(key, token, lambda record: replace(record, claimed_at=float("-inf")))

    def _change(self, key: str, token: UUID, change: Callable[[_Record], _Record]) -> None:
        with self._lock:
            record = self._records.get(key)
            if record is not None and record.token == token and record.answer is None:
                self._records[key] = change(record)
