"""A filter as the Python that builds it: copy it into a slice, and it is the same filter."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final, cast

from eventstore import Filter, FilterItem, P

_WIDEST: Final = 96
_BOUNDS: Final = ("occurred_from", "occurred_until", "sequence_number_higher_than", "up_to")


def code_of(asked: Filter) -> str:
    """Write the calls of `FilterBuilder` that build this filter, with the imports they need.

    >>> print(code_of(FilterBuilder().matching().any_event_type_of("CourseDefined").up_to(7).finalize()))
    from eventstore import FilterBuilder
    <BLANKLINE>
    boundary = (
        FilterBuilder()
        .matching()
        .any_event_type_of("CourseDefined")
        .up_to(7)
        .finalize()
    )

    Args:
        asked: a filter that `FilterBuilder` has built.
    """
    calls = "\n".join(f"    {line}" for call in ("FilterBuilder()", *_calls(asked)) for line in call.split("\n"))
    return "\n".join(_imports(asked)) + f"\n\nboundary = (\n{calls}\n)"


def _imports(asked: Filter) -> Iterator[str]:
    predicates = [predicate for item in asked.items for predicate in item.predicates]
    if asked.occurred_from is not None or asked.occurred_until is not None:
        yield "from datetime import datetime"
    scalars = (scalar for predicate in predicates for scalar in _scalars(_value(predicate)))
    if any(isinstance(scalar, Decimal) and _is_exact_only(scalar) for scalar in scalars):
        yield "from decimal import Decimal"
    yield "from eventstore import FilterBuilder, P" if predicates else "from eventstore import FilterBuilder"


def _calls(asked: Filter) -> Iterator[str]:
    bounds = [(name, getattr(asked, name)) for name in _BOUNDS if getattr(asked, name) is not None]
    if asked.any_event and not bounds:
        yield ".matching_any_event()"
        return
    for number, item in enumerate(asked.items):
        yield ".or_matching()" if number else ".matching()"
        yield from _calls_of_item(item)
    for name, bound in bounds:
        yield f".{name}({_moment(bound) if isinstance(bound, datetime) else bound})"
    yield ".finalize()"


def _calls_of_item(item: FilterItem) -> Iterator[str]:
    if item.event_types:
        yield _call("any_event_type_of", [_text(event_type) for event_type in item.event_types])
    if item.predicates:
        quantifier = "all" if item.all_predicates else "any"
        joint = "and_" if item.event_types else ""
        predicates = [f"P({_text(each.key)}, {_literal(_value(each))})" for each in item.predicates]
        yield _call(f"{joint}{quantifier}_predicate{'s' if item.all_predicates else ''}_of", predicates)


def _call(name: str, arguments: Iterable[str]) -> str:
    arguments = list(arguments)
    in_one_line = f".{name}({', '.join(arguments)})"
    if len(in_one_line) <= _WIDEST:
        return in_one_line
    return "\n".join([f".{name}(", *(f"    {argument}," for argument in arguments), ")"])


def _value(predicate: P) -> object:
    return json.loads(predicate.value, parse_float=Decimal)


def _literal(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Decimal):
        return f'Decimal("{value}")' if _is_exact_only(value) else repr(float(value))
    if isinstance(value, list):
        return f"[{', '.join(_literal(element) for element in cast('list[object]', value))}]"
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return "{" + ", ".join(f"{_text(key)}: {_literal(element)}" for key, element in pairs) + "}"
    return repr(value)  # True, False, None, or a whole number


def _scalars(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(cast("dict[str, object]", value).values())
    if isinstance(value, list):
        for element in cast("list[object]", value):
            yield from _scalars(element)
    else:
        yield value


def _is_exact_only(number: Decimal) -> bool:
    return Decimal(repr(float(number))) != number


def _moment(moment: datetime) -> str:
    return f"datetime.fromisoformat({_text(moment.isoformat())})"


def _text(text: str) -> str:
    """A string as Python writes it, in double quotes wherever that needs no escape."""
    written = repr(text)
    return written if "'" in text or '"' in text else f'"{written[1:-1]}"'
