"""The events and filters that the tests of this folder use."""

from datetime import UTC, datetime

from eventstore import EventStore, Filter, FilterBuilder, P, StorableEvent
from eventstore.json_values import JsonInput

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()

STRANGE_TEXTS = [
    "O'Brien",
    "O''Brien",
    '"',
    "\\",
    "\\\\",
    "\\'",
    "\\u0041",
    "%",
    "%s",
    "%(name)s",
    "%%",
    "?",
    "$1",
    ":name",
    "{}",
    "{0}",
    "{table}",
    "[]",
    "null",
    "NULL",
    "' OR 1=1 --",
    '"} OR true; --',
    "'; DROP TABLE events; --",
    "$$",
    "/* */",
    "a,b",
    "{a,b}",
    " ",
    "\n",
    "\t",
    "\x01",
    "\x1f",
    "\x7f",
    "\x85",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "日本語",
    "🜚",
    "\u2028",
    "\ufeff",
    "\uffff",
    "\U0010ffff",
    "x" * 200,
]


def event(event_type: str = "Happened", payload: str = "{}", occurred_at: datetime = NOON) -> StorableEvent:
    return StorableEvent.build(event_type, occurred_at, payload=payload.encode())


def of_types(first: str, *more: str) -> Filter:
    return FilterBuilder().matching().any_event_type_of(first, *more).finalize()


def having(key: str, value: JsonInput) -> Filter:
    return FilterBuilder().matching().any_predicate_of(P(key, value)).finalize()


def types_in_order(store: EventStore) -> list[str]:
    return [found.event_type for found in store.query(EVERYTHING)]
