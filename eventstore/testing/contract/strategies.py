"""Hypothesis strategies for logs and filters that have something to do with each other.

Drawn apart, a nested predicate would hardly ever meet an event. So most predicates are made from a payload of the log:
a part of it, spelled in another way, or something that only looks like it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from hypothesis import strategies as st

from eventstore import json_values
from eventstore.events import StorableEvent
from eventstore.filters import Filter, FilterItem, P
from eventstore.json_values import JsonInput, JsonValue
from eventstore.testing.contract.examples import EVERYTHING, STRANGE_TEXTS

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
KEYS: Final = ("K", "O'Brien", '"\\?%s{}', "é😀")
TYPES: Final[tuple[str, ...]] = ("Added", "Lent", "lent", "O'Brien %s {} ?", '"\\', "a,b", "日本語")
NUMBERS: Final = ("1", "1.0", "1E0", "10e-1", "0", "-0", "-1", "100", "1E2", "0.1", "0.10", "12345678901234567890.5")
OTHER_SCALARS: Final = ('"1"', "true", "false", "null", '"null"', '""')

types: st.SearchStrategy[str] = st.sampled_from(TYPES)
moments = st.sampled_from(
    [START + timedelta(hours=hours, microseconds=instants) for hours in range(4) for instants in (0, 0, 1)]
)
ODD_TEXT: Final = "'\"\\?%s{}$1é😀"
_texts = st.just(ODD_TEXT) | st.sampled_from(STRANGE_TEXTS) | st.text("a'\"\\%?$\n😀", max_size=3)
_strings = st.builds(json.dumps, _texts, ensure_ascii=st.booleans())
_scalars = (
    st.sampled_from((*NUMBERS[:4], *OTHER_SCALARS[:4]))
    | st.sampled_from((*NUMBERS, *OTHER_SCALARS))
    | st.integers().map(str)
    | _strings
)


def _objects(values: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """JSON objects as text; a key may occur twice, and there may be an empty one."""
    pairs = st.lists(st.tuples(st.sampled_from((*KEYS, "")), values), max_size=most)
    return pairs.map(lambda some: "{" + ",".join(f" {json.dumps(key)}:{value} " for key, value in some) + "}")


def _arrays(values: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=most).map(lambda some: "[" + ", ".join(some) + "]")


_nested = _objects(_scalars, 3) | _arrays(_scalars, 3)
_deep = _nested | _objects(_nested | _scalars, 2) | _arrays(_nested | _scalars, 2)
_few_scalars = st.sampled_from(("1", "1.0", '"1"', "true", "null", json.dumps(ODD_TEXT)))

payloads = _objects(_few_scalars, 3) | _objects(_scalars, 4) | _objects(_deep, 3)
logs = st.lists(st.tuples(types, moments, payloads), min_size=1, max_size=6)

Log: TypeAlias = Sequence[tuple[str, datetime, str]]
"""Types, times and payloads, the payloads as they are spelled."""


def events_of(log: Log) -> list[StorableEvent]:
    """New events, with ids of their own."""
    return [StorableEvent.build(kind, moment, payload=payload.encode()) for kind, moment, payload in log]


@dataclass(frozen=True, slots=True)
class Questions:
    """A log, and filters that were made with an eye on it. Their positions count from 0, the beginning of the log."""

    log: Log
    filters: list[Filter]


@st.composite
def questions(draw: st.DrawFn) -> Questions:
    """Any log and several filters, since each costs less than another log."""
    log = draw(logs)
    bounds = _no_bounds | _some_bounds(log) | _all_bounds(log)
    pairs = draw(st.lists(st.tuples(_filters_for(log), bounds), min_size=1, max_size=5))
    return Questions(log, [replace(unbounded, **chosen) for unbounded, chosen in pairs])


_Bounds: TypeAlias = dict[str, Any]
_no_bounds = st.just(_Bounds())


def _some_bounds(log: Log) -> st.SearchStrategy[_Bounds]:
    position = st.integers(0, len(log) + 1)
    return st.fixed_dictionaries(
        {},
        optional={
            "occurred_from": moments,
            "occurred_until": moments,
            "sequence_number_higher_than": position,
            "up_to": position,
        },
    )


@st.composite
def _all_bounds(draw: st.DrawFn, log: Log) -> _Bounds:
    """Around two events of the log, so that something is left between them."""
    first, last = sorted((draw(st.integers(1, len(log))), draw(st.integers(1, len(log)))))
    times = [moment for _, moment, _ in log[first - 1 : last]]
    return {
        "occurred_from": draw(st.sampled_from(times)),
        "occurred_until": max(times),
        "sequence_number_higher_than": first - 1,
        "up_to": last,
    }


def _filters_for(log: Log) -> st.SearchStrategy[Filter]:
    some_types = st.lists(st.sampled_from([kind for kind, _, _ in log]) | types, min_size=1, max_size=3).map(tuple)
    seen = [pair for _, _, payload in log for pair in _pairs_of(payload)]
    predicates = _mostly(_predicates_like(seen), _any_predicates) if seen else _any_predicates
    some_predicates = st.lists(predicates, min_size=1, max_size=3).map(tuple)
    with_predicates = st.builds(FilterItem, st.just(()) | some_types, some_predicates, st.booleans())
    items = _mostly(with_predicates, st.builds(FilterItem, some_types))
    alternatives = st.lists(items, min_size=1, max_size=3).map(lambda some: Filter(items=tuple(some)))
    return _mostly(alternatives, st.just(EVERYTHING))


_Drawn = TypeVar("_Drawn")


def _mostly(often: st.SearchStrategy[_Drawn], seldom: st.SearchStrategy[_Drawn]) -> st.SearchStrategy[_Drawn]:
    """Weigh two strategies; `one_of` would give them the same share, however often one is repeated."""
    return st.sampled_from((often, often, often, often, seldom)).flatmap(lambda chosen: chosen)


_any_predicates = st.builds(P, st.sampled_from(KEYS), _scalars.map(lambda text: json.loads(text, parse_float=Decimal)))


def _pairs_of(payload: str) -> list[tuple[str, JsonValue]]:
    """The pairs that a predicate may ask for: with a key, and with something in every object and array."""
    document = _filled(json_values.parse(payload.encode()))
    assert isinstance(document, dict)
    return [(key, value) for key, value in document.items() if key]


def _filled(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        filled = {key: _filled(element) for key, element in value.items()}
        return {key: element for key, element in filled.items() if element not in ({}, [])}
    if isinstance(value, list):
        return [element for element in map(_filled, value) if element not in ({}, [])]
    return value


@st.composite
def _predicates_like(draw: st.DrawFn, seen: list[tuple[str, JsonValue]]) -> P:
    nested = [pair for pair in seen if isinstance(pair[1], (dict, list))]
    key, value = draw(st.sampled_from(seen) | st.sampled_from(nested or seen))
    return P(key, draw(_parts_of(value)))


@st.composite
def _parts_of(draw: st.DrawFn, value: JsonValue) -> JsonInput:
    """Something that the value contains, or now and then something that it almost contains."""
    if isinstance(value, dict):
        keys = draw(st.lists(st.sampled_from(sorted(value)), min_size=1, unique=True))
        return {key: draw(_parts_of(value[key])) for key in keys}
    if isinstance(value, list):
        elements = draw(st.lists(st.sampled_from(value), min_size=1, max_size=3))
        return [draw(_parts_of(element)) for element in elements]
    return draw(st.sampled_from([*[value] * 6, *_look_alikes(value)]))


def _look_alikes(value: str | Decimal | bool | None) -> list[JsonInput]:
    """Scalars that a careless comparison takes for this one, or that are this one in another spelling."""
    if isinstance(value, str):
        if value == "1":
            return [1, 1.0]
        return [value.upper(), f"{value} ", f"{value[:1]}%", value[:-1], [value]]
    if isinstance(value, Decimal):
        return [str(value), str(value), value == 1, value * Decimal("1.00"), [value]]
    return [int(bool(value)), not value, str(value).lower(), [value]]
