"""What a key and a value mean that were typed, and what one would type for a filter."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Final

from marshmallow import ValidationError

from eventstore import Filter, InvalidFilter, P
from library_app.event_words import ID_KEYS
from slices.fields import Id

MOST_ITEMS: Final = 3
MOST_PREDICATES: Final = 3
LONGEST_KEY: Final = 100
LONGEST_VALUE: Final = 200
POSITIONS: Final = ("sequence_number_higher_than", "up_to")
MOMENTS: Final = ("occurred_from", "occurred_until")


def predicate_of(key: str, value: str, *, as_json: bool) -> P:
    """What a key and a value mean, as they were typed.

    >>> str(predicate_of("Capacity", "12", as_json=True)), str(predicate_of("ISBN", "12", as_json=False))
    ('Capacity = 12', 'ISBN = "12"')

    Args:
        key: the payload key.
        value: a text, or any JSON value. A text that is an id gets the spelling in which ids are stored.
        as_json: which of the two.

    Raises:
        InvalidFilter: the value is no JSON, or nothing that can be searched for.
    """
    if not as_json:
        return P(key, _as_stored(value) if key in ID_KEYS else value)
    try:
        found = json.loads(value, parse_float=Decimal)
    except ValueError:
        raise InvalidFilter('This is no JSON; write 12, true, null, "a text", ["a list"] or {"an": "object"}') from None
    predicate = P(key, found)
    if len(predicate.value) > 2 * LONGEST_VALUE:  # 1e99999 is short only as long as nobody writes it out
        raise InvalidFilter("Written out, this value is too long")
    return predicate


def fields_of(asked: Filter) -> dict[str, str | list[str]]:
    """The fields that ask for a filter: what `FilterForm.read` understands as this very filter.

    >>> fields_of(FilterBuilder().matching().any_event_type_of("CourseDefined").up_to(7).finalize())
    {'type1': ['CourseDefined'], 'up_to': '7'}

    Raises:
        ValueError: the filter has more parts than the form, or longer ones.
    """
    found: dict[str, str | list[str]] = {"everything": "yes"} if asked.any_event else {}
    if not _has_room(asked):
        raise ValueError(f"the form has no room for {asked}")
    for number, item in enumerate(asked.items, 1):
        if item.event_types:
            found[f"type{number}"] = list(item.event_types)
        if item.all_predicates:
            found[f"choice{number}"] = "all"
        for place, predicate in ((f"{number}_{index}", each) for index, each in enumerate(item.predicates, 1)):
            found |= _fields_of_predicate(place, predicate)
    for name in (*MOMENTS, *POSITIONS):
        bound: datetime | int | None = getattr(asked, name)
        if bound is not None:
            found[name] = bound.isoformat() if isinstance(bound, datetime) else str(bound)
    return found


def _has_room(asked: Filter) -> bool:
    return len(asked.items) <= MOST_ITEMS and all(
        len(item.predicates) <= MOST_PREDICATES
        and all(len(each.key) <= LONGEST_KEY and len(each.value) <= LONGEST_VALUE for each in item.predicates)
        for item in asked.items
    )


def _fields_of_predicate(place: str, predicate: P) -> dict[str, str]:
    text: object = json.loads(predicate.value)
    found = {f"key{place}": predicate.key}
    if isinstance(text, str) and text and text == text.strip() and P(predicate.key, _as_stored(text)) == predicate:
        return found | {f"value{place}": text}
    return found | {f"as{place}": "json", f"value{place}": predicate.value}


def _as_stored(text: str) -> str:
    try:
        return Id().clean(text)
    except ValidationError:
        return text
