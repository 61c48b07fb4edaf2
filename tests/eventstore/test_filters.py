"""Filters and predicates as values: what they mean in Python, what they refuse, when they are equal."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from eventstore import (
    EventStoreError,
    Filter,
    FilterBuilder,
    FilterItem,
    InvalidFilter,
    P,
    SequencedEvent,
    uuid7,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ITEMS = (FilterItem(("A", "B"), (P("K", 1), P("L", "x"))), FilterItem(("C",)))


def stored(event_type: str = "A", payload: str = "{}", number: int = 5, occurred_at: datetime = NOON) -> SequencedEvent:
    return SequencedEvent(number, uuid7(), event_type, occurred_at, payload.encode(), b'{"K": 1, "L": "x"}')


class _OddlyPrinted(float):
    """As the numbers of other packages: a float that prints as `name(…)`."""

    def __repr__(self) -> str:
        return f"odd({float(self)})"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (1.0, "1"),
        (Decimal("1.00"), "1"),
        (Decimal("1E2"), "100"),
        (1e21, "1000000000000000000000"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (Decimal("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827"),
        (10**40 + 1, "1" + "0" * 39 + "1"),
        (-5, "-5"),
        (_OddlyPrinted(0.5), "0.5"),
        ("", '""'),
        ("1", '"1"'),
        ('"\\/\n\t\x01é', '"\\"\\\\/\\n\\t\\u0001é"'),
        ([1, "1", None], '[1, "1", null]'),
        ((1, 2), "[1, 2]"),
        ({"bb": 1, "a": [True]}, '{"a": [true], "bb": 1}'),
    ],
    ids=repr,
)
def test_a_value_is_kept_as_canonical_json_text(value: Any, text: str) -> None:
    assert P("K", value).value == text
    assert P("K", value).pattern == f'{{"K": {text}}}'


def test_predicates_are_equal_if_they_mean_the_same() -> None:
    assert P("K", 1) == P("K", 1.0) == P("K", Decimal("1.000"))
    assert P("K", {"a": 1, "b": 2}) == P("K", {"b": 2.0, "a": 1})
    assert hash(P("K", 1)) == hash(P("K", 1.0))
    assert len({P("K", 1), P("K", "1"), P("K", True), P("K", [1]), P("L", 1), P("K", None), P("K", "null")}) == 7


def test_a_key_is_a_key_whatever_it_holds() -> None:
    assert P('a": 1, "b', 2).pattern == '{"a\\": 1, \\"b": 2}'
    assert P("a\\", 2).pattern == '{"a\\\\": 2}'


@pytest.mark.parametrize("key", ["", None, 1, b"K", "\x00", "a\ud800"])
def test_a_key_that_no_payload_can_have_is_refused(key: Any) -> None:
    with pytest.raises(InvalidFilter):
        P(key, 1)


CYCLE: list[object] = []
CYCLE.append(CYCLE)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        (),
        [[]],
        {"a": {}},
        {"a": 1, "b": [{}]},
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        [float("nan")],
        10**131072,
        Decimal("1E-16384"),
        Decimal("1E1000000000000"),
        "\x00",
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        {None: 2},
        b"bytes",
        {1, 2},
        NOON,
        date(2026, 3, 1),
        1j,
        object(),
        iter([1]),
        CYCLE,
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_no_json_or_matches_too_much_is_refused(value: Any) -> None:
    with pytest.raises(InvalidFilter, match="K"):
        P("K", value)


def test_an_invalid_filter_is_an_event_store_error_and_a_value_error() -> None:
    assert issubclass(InvalidFilter, EventStoreError)
    assert issubclass(InvalidFilter, ValueError)


def test_a_filter_has_items_or_means_every_event_and_never_both() -> None:
    with pytest.raises(InvalidFilter):
        Filter()
    with pytest.raises(InvalidFilter):
        Filter(items=ITEMS, any_event=True)


@pytest.mark.parametrize("event_type", ["", "x" * 256, None, 1, "\x00", "\ud800"])
def test_an_event_type_that_no_event_can_have_is_refused(event_type: Any) -> None:
    with pytest.raises(InvalidFilter, match="event type"):
        FilterItem(event_types=("A", event_type))


@pytest.mark.parametrize("predicate", [None, "K", ("K", 1), {"K": 1}])
def test_a_predicate_that_was_not_made_with_p_is_refused(predicate: Any) -> None:
    with pytest.raises(InvalidFilter, match="predicate"):
        FilterItem(predicates=(P("K", 1), predicate))


@pytest.mark.parametrize("types", ["Lent", ""])
def test_one_string_in_place_of_several_types_is_refused(types: Any) -> None:
    """Its letters would be taken for types."""
    with pytest.raises(InvalidFilter):
        FilterItem(event_types=types)


@pytest.mark.parametrize("name", ["occurred_from", "occurred_until"])
@pytest.mark.parametrize("moment", [datetime(2026, 3, 1), date(2026, 3, 1), "2026-03-01", 0])  # noqa: DTZ001
def test_a_bound_of_time_must_say_its_zone(name: str, moment: Any) -> None:
    with pytest.raises(InvalidFilter, match=name):
        Filter(any_event=True, **{name: moment})


@pytest.mark.parametrize("name", ["sequence_number_higher_than", "up_to"])
@pytest.mark.parametrize("position", [-1, 2**63, True, False, 1.0, "1", Decimal(1)])
def test_a_bound_of_position_must_be_a_position(name: str, position: Any) -> None:
    with pytest.raises(InvalidFilter, match=name):
        Filter(any_event=True, **{name: position})


def test_bounds_of_time_are_kept_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    bounded = Filter(any_event=True, occurred_from=NOON.astimezone(tokyo), occurred_until=NOON.astimezone(tokyo))
    assert bounded == Filter(any_event=True, occurred_from=NOON, occurred_until=NOON)
    assert bounded.occurred_from is not None
    assert bounded.occurred_from.tzinfo is UTC


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        (stored("A", '{"K": 1}'), True),
        (stored("B", '{"K": 1.0, "L": "y"}'), True),
        (stored("A", '{"L": "x"}'), True),
        (stored("A", '{"K": 2, "L": "y"}'), False),
        (stored("A", '{"K": true}'), False),
        (stored("A", '{"K": "1"}'), False),
        (stored("A", "{}"), False),
        (stored("C", "{}"), True),
        (stored("D", '{"K": 1, "L": "x"}'), False),
        (stored("c", "{}"), False),
    ],
)
def test_a_filter_matches_in_python_what_it_says(event: SequencedEvent, meant: bool) -> None:
    assert Filter(items=ITEMS).matches(event) is meant
    assert Filter(any_event=True).matches(event)


def test_all_predicates_must_hold_where_all_are_asked() -> None:
    both = Filter(items=(replace(ITEMS[0], all_predicates=True),))
    assert both.matches(stored("A", '{"K": 1, "L": "x", "M": null}'))
    assert not both.matches(stored("A", '{"K": 1}'))


def test_bounds_narrow_what_matches() -> None:
    event = stored(number=5)
    everything = Filter(any_event=True)
    for name, good, bad in (
        ("sequence_number_higher_than", (0, 4), (5, 6)),
        ("up_to", (5, 6), (0, 4)),
        ("occurred_from", (NOON, NOON - SECOND), (NOON + SECOND,)),
        ("occurred_until", (NOON, NOON + SECOND), (NOON - SECOND,)),
    ):
        changes: list[tuple[Any, bool]] = [*((one, True) for one in good), *((one, False) for one in bad)]
        for bound, meant in changes:
            assert replace(everything, **{name: bound}).matches(event) is meant, (name, bound)


def test_a_filter_can_be_opened_again_for_its_tail_and_for_a_moment_in_the_past() -> None:
    bounded = FilterBuilder().matching().any_event_type_of("A").occurred_from(NOON).up_to(7).finalize()
    assert bounded.after_sequence_number(3) == replace(bounded, sequence_number_higher_than=3)
    assert bounded.after_sequence_number(3).after_sequence_number(0).sequence_number_higher_than == 0
    assert bounded.as_of(5) == replace(bounded, up_to=5)
    unknown: list[Any] = [-1, True, None, "5"]
    for position in unknown:
        with pytest.raises(InvalidFilter):
            bounded.as_of(position)
        with pytest.raises(InvalidFilter):
            bounded.after_sequence_number(position)


@pytest.mark.parametrize(
    ("target", "field"), [(P("K", 1), "value"), (ITEMS[0], "event_types"), (Filter(items=ITEMS), "up_to")]
)
def test_a_filter_never_changes(target: object, field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(target, field, None)


def test_a_filter_can_be_a_key() -> None:
    assert len({Filter(items=ITEMS), Filter(items=ITEMS), Filter(any_event=True)}) == 2


def test_a_filter_says_in_words_what_it_means() -> None:
    bounded = Filter(items=ITEMS, occurred_from=NOON, occurred_until=NOON, sequence_number_higher_than=3, up_to=9)
    assert str(bounded) == (
        'A or B with K = 1 or L = "x" — or C; occurred at or after 2026-03-01T12:00:00+00:00;'
        " occurred at or before 2026-03-01T12:00:00+00:00; after position 3; up to position 9"
    )
    assert str(Filter(any_event=True)) == "any event"


def test_a_filter_that_no_statement_could_carry_is_refused() -> None:
    predicates = tuple(P("K", number) for number in range(30_000))
    with pytest.raises(InvalidFilter, match="at most 30000"):
        Filter(items=(FilterItem(predicates=predicates),))


@pytest.mark.parametrize(
    "moment",
    [
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
    ],
)
def test_a_moment_that_utc_cannot_express_is_refused(moment: datetime) -> None:
    with pytest.raises(InvalidFilter, match="is no time that UTC can express"):
        FilterBuilder().occurred_from(moment)
