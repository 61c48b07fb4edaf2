"""Idempotency-Key: a command that is sent twice is carried out once and answered twice in the same words."""

from library_app.idempotency.memory import InMemoryIdempotencyRecords
from library_app.idempotency.records import Answered, Claimed, IdempotencyRecords, InFlight, Request

__all__ = ["Answered", "Claimed", "IdempotencyRecords", "InFlight", "InMemoryIdempotencyRecords", "Request"]
