"""JSON as PostgreSQL's `jsonb` understands it: exact numbers, no duplicate keys, one spelling for one value.

The in-memory engine and the filters need the very same idea of JSON as the database: what it accepts, how it
writes a value down, when one value contains another (https://www.postgresql.org/docs/current/datatype-json.html).
"""

import json
import re
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Final, TypeAlias, cast

JsonInput: TypeAlias = "str | int | float | bool | Decimal | None | list[JsonInput] | dict[str, JsonInput]"
"""What an application may write: the usual Python values, and Decimal for exact numbers."""

JsonValue: TypeAlias = "str | Decimal | bool | None | list[JsonValue] | dict[str, JsonValue]"
"""What is compared: every number is a Decimal, so 1 and 1.0 are equal and no digit is lost."""

_Container: TypeAlias = list[object] | tuple[object, ...] | Mapping[object, object]

DEEPEST_NESTING: Final = 200
"""Levels of arrays and objects that this package accepts. PostgreSQL's own limit depends on its stack size."""

_DIGITS_BEFORE_POINT: Final = 131072
_DIGITS_AFTER_POINT: Final = 16383
_LARGEST_EXPONENT: Final = 1 << 30
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TOO_DEEP: Final = f"nested deeper than {DEEPEST_NESTING} levels"
_EXACT: Final = Context(prec=200_000, Emax=10**9, Emin=-(10**9))
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MUST_ESCAPE: Final = re.compile(r'["\\\x00-\x1f]')
_UNUSUAL: Final = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')


class NotJson(ValueError):
    """The text is no JSON, or JSON that `jsonb` refuses. The message says why."""


def parse(text: bytes) -> JsonValue:
    """Read JSON with exact numbers. Raises NotJson for anything that `jsonb` would refuse."""
    value = _load(text)
    _check_strings_and_depth(value)
    return value


def check_object(text: bytes) -> None:
    """Raise NotJson unless `text` is a JSON object that `jsonb` accepts; quicker than `parse` for the common case."""
    value = _load(text)
    if not isinstance(value, dict):
        raise NotJson(f"a JSON object is needed, this is {_kind(value)}")
    # A string can only be unstorable if it was written as an escape, and nesting costs a bracket a level.
    if b"\\u" in text or text.count(b"{") + text.count(b"[") > DEEPEST_NESTING:
        _check_strings_and_depth(value)


def from_python(value: object) -> JsonValue:
    """Turn an application's value into a comparable one. Raises NotJson for NaN, infinities and foreign types."""
    return _from_python(value, DEEPEST_NESTING)


def plain_string_as_jsonb_text(value: object) -> str | None:
    """Write down a string that needs neither a check nor an escape, as nearly all do; None for everything else."""
    return f'"{value}"' if type(value) is str and _UNUSUAL.search(value) is None else None


def as_jsonb_text(value: JsonValue) -> str:
    """Write a value exactly as PostgreSQL prints it: keys by length, then bytes; numbers without exponent."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return _number_text(value)
    if isinstance(value, str):
        return _string_text(value)
    if isinstance(value, list):
        return "[" + ", ".join([as_jsonb_text(element) for element in value]) + "]"
    keys = sorted(value, key=_jsonb_key_order)
    return "{" + ", ".join([f"{_string_text(key)}: {as_jsonb_text(value[key])}" for key in keys]) + "}"


def plain(text: str) -> str:
    """The characters of a string without what a subclass makes of them: members of an enumeration are their values."""
    return str.__str__(text)


def canonical_text(value: JsonValue) -> str:
    """One text per value: equal values (1 and 1.0, keys in any order) have equal texts."""
    return as_jsonb_text(_without_trailing_zeros(value))


def contains(whole: JsonValue, part: JsonValue) -> bool:
    """Tell whether `whole @> part` holds for two values below the top level of a document."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            key in whole and contains(whole[key], value) for key, value in part.items()
        )
    if isinstance(part, list):
        return isinstance(whole, list) and all(
            any(contains(candidate, element) for candidate in whole) for element in part
        )
    return type(whole) is type(part) and whole == part


def equal(one: JsonValue, other: JsonValue) -> bool:
    """Tell whether two values are the same for `jsonb`. Python's `==` takes True for 1."""
    return canonical_text(one) == canonical_text(other)


def _load(text: bytes) -> JsonValue:
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"it is not UTF-8 (byte {error.start})") from None
    # Of a key that occurs twice the last value is kept, but `jsonb` reads them all.
    decoder = _CHECKING_DECODER if "\\u" in decoded else _DECODER
    try:
        value: JsonValue = decoder.decode(decoded)
    except json.JSONDecodeError as error:
        raise NotJson(f"it is no JSON: {error}") from None
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    return value


def _checked_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    for key, value in pairs:
        _check_string(key)
        _check_strings_and_depth(value)
    return dict(pairs)


def _exact_number(digits: str) -> Decimal:
    if len(digits) > 16:  # Shorter ones cannot reach a limit, unless they have an exponent.
        return _check_number(_decimal(digits), digits)
    number = _decimal(digits)
    return _check_number(number, digits) if "e" in digits or "E" in digits else number


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise NotJson(f"the number {_short(digits)} is out of range") from None


def _check_number(number: Decimal, shown: str) -> Decimal:
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise NotJson(f"{shown} is no JSON number")
    out_of_range = (
        -exponent > _DIGITS_AFTER_POINT
        or abs(exponent) >= _LARGEST_EXPONENT
        or (number != 0 and number.adjusted() >= _DIGITS_BEFORE_POINT)
    )
    if out_of_range:
        raise NotJson(f"the number {_short(shown)} is out of range")
    return number


def _refuse_constant(name: str) -> JsonValue:
    raise NotJson(f"{name} is no JSON value")


def _check_strings_and_depth(value: JsonValue, levels_left: int = DEEPEST_NESTING) -> None:
    if isinstance(value, str):
        _check_string(value)
    elif isinstance(value, (dict, list)):
        if levels_left == 0:
            raise NotJson(_TOO_DEEP)
        if isinstance(value, dict):
            for key in value:
                _check_string(key)
        for element in value.values() if isinstance(value, dict) else value:
            _check_strings_and_depth(element, levels_left - 1)


def _check_string(text: str) -> None:
    found = _UNSTORABLE.search(text)
    if found is not None:
        kind = "a NUL character" if found.group() == "\x00" else "half of a surrogate pair"
        raise NotJson(f"the string {_short(ascii(text))} contains {kind}, which PostgreSQL cannot store")


def _from_python(value: object, levels_left: int) -> JsonValue:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        _check_string(value)
        return plain(value)
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        return _check_number(number, _short(str(number)))
    if isinstance(value, float):
        digits = float.__repr__(value)
        return _check_number(Decimal(digits), digits)
    if isinstance(value, (list, tuple, Mapping)):
        if levels_left == 0:
            raise NotJson(_TOO_DEEP)
        return _container_from_python(cast("_Container", value), levels_left - 1)
    raise NotJson(f"{_short(repr(value))} ({type(value).__name__}) is no JSON value")


def _container_from_python(value: _Container, levels_left: int) -> JsonValue:
    if not isinstance(value, Mapping):
        return [_from_python(element, levels_left) for element in value]
    result: dict[str, JsonValue] = {}
    for key, element in value.items():
        if not isinstance(key, str):
            raise NotJson(f"the key {key!r} is no string")
        _check_string(key)
        result[plain(key)] = _from_python(element, levels_left)
    return result


def _without_trailing_zeros(value: JsonValue) -> JsonValue:
    if isinstance(value, Decimal):
        return value.normalize(_EXACT)
    if isinstance(value, list):
        return [_without_trailing_zeros(element) for element in value]
    if isinstance(value, dict):
        return {key: _without_trailing_zeros(element) for key, element in value.items()}
    return value


def _number_text(number: Decimal) -> str:
    text = format(abs(number) if number == 0 else number, "f")
    if number == 0 and "." not in text:
        return "0"
    return text


def _string_text(text: str) -> str:
    if _MUST_ESCAPE.search(text) is None:
        return f'"{text}"'
    escaped = _MUST_ESCAPE.sub(lambda found: _ESCAPES.get(found.group()) or f"\\u{ord(found.group()):04x}", text)
    return f'"{escaped}"'


def _jsonb_key_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _kind(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (str, Decimal)):
        return "a string" if isinstance(value, str) else "a number"
    return "an array" if isinstance(value, list) else "an object"


# Made once: that takes as long as to read a small document.
_DECODER: Final = json.JSONDecoder(parse_int=_exact_number, parse_float=_exact_number, parse_constant=_refuse_constant)
_CHECKING_DECODER: Final = json.JSONDecoder(
    parse_int=_exact_number,
    parse_float=_exact_number,
    parse_constant=_refuse_constant,
    object_pairs_hook=_checked_object,
)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
