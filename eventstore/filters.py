"""What a dynamic event stream is: a filter over event types and payload, evaluated by the store or in Python.

A filter is an OR of items. An item matches an event of *any* of its types that fulfils *any* (or *all*) of its
predicates. Bounds of time and position narrow what a query returns; they never narrow what an append is guarded
against. Build filters with `FilterBuilder`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final, Protocol, cast

from eventstore import json_values
from eventstore.errors import InvalidFilter
from eventstore.events import SequencedEvent, checked_event_type
from eventstore.json_values import JsonInput, JsonValue


@dataclass(frozen=True, slots=True, init=False)
class P:
    """A predicate: the payload contains `{key: value}`.

    The value may be a string, a number, a bool, None, or a nested object or array, which is contained as PostgreSQL's
    `@>` says: `P("Tags", ["a"])` matches a payload whose Tags have an "a" among others. Two predicates are equal if
    they mean the same (`1` and `1.0`); `1`, `"1"` and `True` are three different values.

    Raises:
        InvalidFilter: for an empty key, NaN, an infinity, anything that is no JSON, and for empty objects and arrays,
            which every object or array contains and no index can find.
    """

    key: str
    value: str
    """The value as canonical JSON text."""
    pattern: str = field(repr=False, compare=False)
    """The JSON object that the payload must contain."""
    _document: JsonValue = field(repr=False, compare=False)

    def __init__(self, key: str, value: JsonInput) -> None:
        if not isinstance(key, str) or not key:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidFilter(f"the key of a predicate must be a non-empty string, not {key!r}")
        name, text = json_values.plain_string_as_jsonb_text(key), json_values.plain_string_as_jsonb_text(value)
        document = cast("JsonValue", {key: value})
        if name is None or text is None:
            name, text, document = _checked_pair(key, value)
        object.__setattr__(self, "key", json_values.plain(key))
        object.__setattr__(self, "value", text)
        object.__setattr__(self, "pattern", f"{{{name}: {text}}}")
        object.__setattr__(self, "_document", document)

    def is_met_by(self, document: JsonValue) -> bool:
        """Tell whether a parsed payload contains this pair."""
        return json_values.contains(document, self._document)

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"


@dataclass(frozen=True, slots=True)
class FilterItem:
    """One alternative of a filter: any of the types, and any (or all) of the predicates.

    No types means events of every type, no predicates means every payload; one of the two must be given.
    """

    event_types: tuple[str, ...] = ()
    predicates: tuple[P, ...] = ()
    all_predicates: bool = False

    def __post_init__(self) -> None:
        for name in ("event_types", "predicates"):
            if not isinstance(getattr(self, name), tuple):
                raise InvalidFilter(f"{name} must be a tuple, not {getattr(self, name)!r}")
        if not self.event_types and not self.predicates:
            raise InvalidFilter("an item needs an event type or a predicate; matching_any_event() says 'everything'")
        object.__setattr__(self, "event_types", _checked(self.event_types))
        for predicate in self.predicates:
            if not isinstance(predicate, P):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidFilter(f"a predicate must be made with P(key, value), this is {predicate!r}")

    def matches(self, event_type: str, document: JsonValue) -> bool:
        """Tell whether an event of this type with this parsed payload is meant."""
        if self.event_types and event_type not in self.event_types:
            return False
        if not self.predicates:
            return True
        quantifier = all if self.all_predicates else any
        return quantifier(predicate.is_met_by(document) for predicate in self.predicates)

    def normal_form(self) -> tuple[list[str], str, list[tuple[str, str]]]:
        """The same for all items of the same meaning: sorted, each part once, and one predicate is *all* of one."""
        predicates = sorted({(predicate.key, predicate.value) for predicate in self.predicates})
        quantifier = "all" if self.all_predicates or len(predicates) <= 1 else "any"
        return sorted(set(self.event_types)), quantifier, predicates

    def __str__(self) -> str:
        joint = " and " if self.all_predicates else " or "
        predicates = joint.join(str(predicate) for predicate in self.predicates)
        if not self.event_types:
            return f"any event with {predicates}"
        types = " or ".join(self.event_types)
        return f"{types} with {predicates}" if predicates else types


def _checked_pair(key: str, value: JsonInput) -> tuple[str, str, JsonValue]:
    """Key and value as canonical JSON text, and both as a document. Raises InvalidFilter."""
    try:
        json_values.from_python(key)
        found = json_values.from_python(value)
    except json_values.NotJson as reason:
        raise InvalidFilter(f"P({key!a}, …) cannot be searched for: {reason}") from None
    if _has_empty_container(found):
        raise InvalidFilter(f"P({key!a}, {value!r}) contains an empty object or array, which matches too much")
    name = json_values.plain(key)
    return json_values.as_jsonb_text(name), json_values.canonical_text(found), {name: found}


def _checked(event_types: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return _checked_once(event_types)
    except TypeError:  # something that is no string and has no hash
        return _checked_once.__wrapped__(event_types)


@lru_cache(maxsize=1000)
def _checked_once(event_types: tuple[str, ...]) -> tuple[str, ...]:
    """An application asks for the same few lists of types again and again."""
    return tuple(checked_event_type(event_type, InvalidFilter) for event_type in event_types)


MOST_PARTS = 30_000
"""Items and predicates of one filter. A statement of PostgreSQL has at most 65,535 parameters."""


_HASH_VERSION: Final = 1
"""Part of what is hashed: raise it when the normal form changes, so that no snapshot is found under a wrong name."""


class _Searchable(Protocol):
    @property
    def event_type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def sequence_number(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A dynamic event stream. Built by `FilterBuilder`; every field is checked here once more.

    Attributes:
        items: alternatives, joined by OR.
        any_event: True exactly if there are no items: every event of the store is meant.
        occurred_from, occurred_until: inclusive bounds of `occurred_at`, in UTC.
        sequence_number_higher_than: exclusive lower bound of the position.
        up_to: inclusive upper bound of the position.
    """

    items: tuple[FilterItem, ...] = ()
    any_event: bool = False
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None
    sequence_number_higher_than: int | None = None
    up_to: int | None = None

    def __post_init__(self) -> None:
        if bool(self.items) == self.any_event:
            raise InvalidFilter("a filter has items or says any_event=True, and never both")
        parts = sum(1 + len(item.predicates) for item in self.items)
        if parts > MOST_PARTS:
            raise InvalidFilter(f"a filter has at most {MOST_PARTS} items and predicates together, this one {parts}")
        for name in ("occurred_from", "occurred_until"):
            moment: datetime | None = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, _aware(name, moment))
        for name in ("sequence_number_higher_than", "up_to"):
            if getattr(self, name) is not None:
                check_position(name, getattr(self, name))

    def matches(self, event: SequencedEvent) -> bool:
        """The meaning of the filter in Python: True if a query with it returns this event."""
        return self.matches_parsed(event, json_values.parse(event.payload))

    def matches_parsed(self, event: _Searchable, document: JsonValue) -> bool:
        """Like `matches`, for a payload that was parsed with exact numbers already."""
        return self.within_bounds(event) and (
            self.any_event or self.matching_item(event.event_type, document) is not None
        )

    def matching_item(self, event_type: str, document: JsonValue) -> FilterItem | None:
        """The first item that matches, bounds left aside: this is what a guard asks."""
        return next((item for item in self.items if item.matches(event_type, document)), None)

    def within_bounds(self, event: _Searchable) -> bool:
        """Tell whether the event lies within the bounds of time and position."""
        return (
            (self.occurred_from is None or event.occurred_at >= self.occurred_from)
            and (self.occurred_until is None or event.occurred_at <= self.occurred_until)
            and event.sequence_number > (self.sequence_number_higher_than or 0)
            and (self.up_to is None or event.sequence_number <= self.up_to)
        )

    def after_sequence_number(self, sequence_number: int) -> "Filter":
        """The same stream, only what comes after a position: the tail that a projection still has to read."""
        check_position("sequence_number_higher_than", sequence_number)
        return replace(self, sequence_number_higher_than=sequence_number)

    def as_of(self, sequence_number: int) -> "Filter":
        """The same stream as it was when `sequence_number` was the newest event of the store."""
        check_position("up_to", sequence_number)
        return replace(self, up_to=sequence_number)

    def as_of_moment(self, moment: datetime) -> "Filter":
        """The same stream, only what had occurred by then, in the application's time."""
        return replace(self, occurred_until=_aware("occurred_until", moment))

    def hash(self) -> str:
        """The name of this stream, for snapshots: equal for filters that say the same in another order or spelling.

        The SHA-256, in hexadecimal, of a normal form. Bounds of position are left out: the filter for the tail must
        find the snapshot that the tail continues.
        """
        times = [None if moment is None else moment.isoformat() for moment in (self.occurred_from, self.occurred_until)]
        items = sorted({json.dumps(item.normal_form()) for item in self.items})
        return sha256(json.dumps([_HASH_VERSION, items, times]).encode()).hexdigest()

    def __str__(self) -> str:
        words = " — or ".join(str(item) for item in self.items) if self.items else "any event"
        return "; ".join([words, *self._bounds_in_words()])

    def _bounds_in_words(self) -> Iterable[str]:
        if self.occurred_from is not None:
            yield f"occurred at or after {self.occurred_from.isoformat()}"
        if self.occurred_until is not None:
            yield f"occurred at or before {self.occurred_until.isoformat()}"
        if self.sequence_number_higher_than is not None:
            yield f"after position {self.sequence_number_higher_than}"
        if self.up_to is not None:
            yield f"up to position {self.up_to}"


def _has_empty_container(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return not value or any(_has_empty_container(element) for element in value.values())
    return isinstance(value, list) and (not value or any(_has_empty_container(element) for element in value))


def _aware(name: str, moment: datetime) -> datetime:
    if not isinstance(moment, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidFilter(f"{name} must be a datetime, not {moment!r}")
    if moment.utcoffset() is None:
        raise InvalidFilter(f"{name} must say its time zone; {moment.isoformat()} does not")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidFilter(f"{name} {moment.isoformat()} is no time that UTC can express") from None


HIGHEST_POSITION = 2**63 - 1


def check_position(name: str, position: object) -> None:
    """Raise InvalidFilter unless this is a position of an event, or 0 for the beginning."""
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= HIGHEST_POSITION:
        raise InvalidFilter(f"{name} must be a position (a whole number from 0 on), not {position!r}")
