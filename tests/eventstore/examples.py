"""The events and filters that the tests of this folder use: those of the contract."""

from eventstore.testing.contract.examples import (
    EVERYTHING,
    NOON,
    STRANGE_TEXTS,
    event,
    having,
    of_types,
    types_in_order,
)

__all__ = ["EVERYTHING", "NOON", "STRANGE_TEXTS", "event", "having", "of_types", "types_in_order"]
