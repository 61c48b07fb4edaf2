"""Which events a filter means: types, predicates, items, and JSON values told apart. The same for every engine."""

import json
from decimal import Decimal

import pytest

from eventstore import AppendCondition, ConcurrencyConflict, EventStore, Filter, FilterBuilder, P, StorableEvent
from eventstore.json_values import JsonInput
from tests.eventstore.examples import EVERYTHING, NOON, STRANGE_TEXTS, event, having, of_types, types_in_order


def append(engine: EventStore, *events: tuple[str, str]) -> None:
    engine.append(*[event(event_type, payload) for event_type, payload in events])


def found(engine: EventStore, filter: Filter) -> list[int]:
    """The positions that the query returns, of which `Filter.matches` and the guard must say the same."""
    everything = engine.query(EVERYTHING)
    numbers = [one.sequence_number for one in engine.query(filter)]
    assert [one.sequence_number for one in everything if filter.matches(one)] == numbers
    for after, first in zip([0, *numbers], numbers, strict=False):
        with pytest.raises(ConcurrencyConflict) as caught:
            engine.append(event("Probe"), condition=AppendCondition(filter, after))
        assert caught.value.event.sequence_number == first
    assert engine.append(event("Probe"), condition=AppendCondition(filter, max(numbers, default=0)))
    return numbers


VALUES = [
    "null",  # position 1
    "true",
    "false",
    "0",
    "1",
    "1.0",
    "1E0",
    '"1"',  # position 8
    '"true"',
    '""',
    '"null"',
    "[1]",
    '["1", 1, true]',
    "[]",
    "{}",  # position 15
    '{"1": 1}',
    "[[1, 2], [3]]",
    '[{"a": 1, "b": 2}, {"a": 2}]',
    '{"a": {"b": {"c": 1, "d": 2}}}',
    '{"a": [1, {"b": [2, 3]}]}',  # position 20
    "12345678901234567890.000000000000000001",
    "-1",
    "-0",
    "0.10",
    "1e-7",  # position 25
    '"one"',
    '"One"',
]


MEANT: list[tuple[JsonInput, list[int]]] = [
    (None, [1]),
    (True, [2]),
    (False, [3]),
    (0, [4, 23]),
    (-0.0, [4, 23]),
    (1, [5, 6, 7]),
    (1.0, [5, 6, 7]),
    (Decimal("1.000"), [5, 6, 7]),
    ("1", [8]),
    ("true", [9]),
    ("", [10]),
    ("null", [11]),
    ([1], [12, 13]),
    (["1"], [13]),
    ([True], [13]),
    ([1, 1, 1], [12, 13]),
    ([True, "1"], [13]),
    ([1, False], []),
    ({"1": 1}, [16]),
    ({"1": "1"}, []),
    ([[1]], [17]),
    ([[2, 1]], [17]),
    ([[1, 3]], []),
    ([[3], [1]], [17]),
    ([{"a": 1}], [18]),
    ([{"b": 2}, {"a": 2}], [18]),
    ([{"b": 2, "a": 2}], []),
    ({"a": {"b": {"c": 1}}}, [19]),
    ({"a": {"b": {"d": 2, "c": 1}}}, [19]),
    ({"a": {"c": 1}}, []),
    ({"a": [{"b": [3]}]}, [20]),
    ({"a": [{"b": 3}]}, []),
    ({"a": 1}, []),
    (Decimal("12345678901234567890.000000000000000001"), [21]),
    (Decimal("12345678901234567890.000000000000000002"), []),
    (12345678901234567890, []),
    (-1, [22]),
    (0.1, [24]),
    (1e-7, [25]),
    ("one", [26]),
    ("on", []),
    ("o%", []),
    ("_ne", []),
]


def test_a_predicate_tells_json_values_apart(engine: EventStore) -> None:
    append(engine, *[("A", f'{{"K": {value}}}') for value in VALUES])
    append(engine, ("A", "{}"), ("A", '{"k": 1}'), ("A", '{"Other": {"K": 1}}'), ("A", '{"Other": [{"K": "1"}]}'))
    assert [(wanted, found(engine, having("K", wanted))) for wanted, _ in MEANT] == MEANT


def test_null_is_a_value_and_an_absent_key_is_none(engine: EventStore) -> None:
    append(engine, ("A", '{"K": null}'), ("A", "{}"), ("A", '{"K": "null"}'), ("A", '{"L": null}'))
    assert found(engine, having("K", None)) == [1]


def test_a_scalar_is_not_found_inside_an_array(engine: EventStore) -> None:
    """At its top level `@>` makes an exception for arrays; below it, where predicates look, there is none."""
    append(engine, ("A", '{"K": ["x"]}'), ("A", '{"K": "x"}'))
    assert found(engine, having("K", "x")) == [2]
    assert found(engine, having("K", ["x"])) == [1]


def test_every_string_is_a_value_and_never_sql(engine: EventStore) -> None:
    append(engine, *[("A", f'{{"K": {json.dumps(text)}}}') for text in STRANGE_TEXTS])
    assert {text: found(engine, having("K", text)) for text in STRANGE_TEXTS} == {
        text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
    }


def test_every_string_is_a_key_and_never_sql(engine: EventStore) -> None:
    append(engine, *[("A", f'{{{json.dumps(text)}: "here"}}') for text in STRANGE_TEXTS])
    assert {text: found(engine, having(text, "here")) for text in STRANGE_TEXTS} == {
        text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
    }


def test_every_string_is_an_event_type_and_never_sql(engine: EventStore) -> None:
    append(engine, *[(text, "{}") for text in STRANGE_TEXTS])
    assert {text: found(engine, of_types(text)) for text in STRANGE_TEXTS} == {
        text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
    }
    assert [text for text in types_in_order(engine) if text != "Probe"] == STRANGE_TEXTS


@pytest.fixture
def school(engine: EventStore) -> EventStore:
    """Eight events: two types and one more, each with a course and a student."""
    pairs = [("C1", "S1"), ("C1", "S2"), ("C2", "S1"), ("C2", "S2")]
    for event_type in ("Enrolled", "Left"):
        append(
            engine, *[(event_type, f'{{"Course": "{course}", "Student": "{student}"}}') for course, student in pairs]
        )
    append(engine, ("CourseDefined", '{"Course": "C1"}'))
    return engine


COURSE, STUDENT = P("Course", "C1"), P("Student", "S1")


def test_any_predicate_is_enough_where_any_is_asked(school: EventStore) -> None:
    item = FilterBuilder().matching().any_predicate_of(COURSE, STUDENT)
    assert found(school, item.finalize()) == [1, 2, 3, 5, 6, 7, 9]
    assert found(school, item.and_any_event_type_of("Left").finalize()) == [5, 6, 7]


def test_every_predicate_must_hold_where_all_are_asked(school: EventStore) -> None:
    item = FilterBuilder().matching().all_predicates_of(COURSE, STUDENT)
    assert found(school, item.finalize()) == [1, 5]
    assert found(school, item.and_any_event_type_of("Left", "CourseDefined").finalize()) == [5]


def test_types_and_predicates_of_one_item_must_both_hold(school: EventStore) -> None:
    item = FilterBuilder().matching().any_event_type_of("Enrolled", "CourseDefined")
    assert found(school, item.finalize()) == [1, 2, 3, 4, 9]
    assert found(school, item.and_any_predicate_of(COURSE, STUDENT).finalize()) == [1, 2, 3, 9]
    assert found(school, item.and_all_predicates_of(COURSE, STUDENT).finalize()) == [1]


def test_items_are_alternatives_and_never_joined_by_and(school: EventStore) -> None:
    wanted = (
        FilterBuilder()
        .matching().any_event_type_of("Enrolled").and_all_predicates_of(COURSE, STUDENT)
        .or_matching().any_event_type_of("Left").and_any_predicate_of(P("Course", "C2"))
        .or_matching().any_event_type_of("CourseDefined")
        .finalize()
    )  # fmt: skip
    assert found(school, wanted) == [1, 7, 8, 9]


def test_an_event_that_several_items_mean_is_returned_once(school: EventStore) -> None:
    wanted = (
        FilterBuilder()
        .matching().any_predicate_of(COURSE, STUDENT)
        .or_matching().any_predicate_of(STUDENT, COURSE, COURSE)
        .or_matching().any_event_type_of("Enrolled")
        .finalize()
    )  # fmt: skip
    assert found(school, wanted) == [1, 2, 3, 4, 5, 6, 7, 9]


def test_the_order_and_repetition_of_types_predicates_and_items_do_not_matter(school: EventStore) -> None:
    one = (
        FilterBuilder()
        .matching().any_event_type_of("Enrolled", "Left").and_all_predicates_of(COURSE, STUDENT)
        .or_matching().any_event_type_of("CourseDefined")
        .finalize()
    )  # fmt: skip
    other = (
        FilterBuilder()
        .matching().any_event_type_of("CourseDefined", "CourseDefined")
        .or_matching().all_predicates_of(STUDENT, COURSE, STUDENT).and_any_event_type_of("Left", "Enrolled", "Left")
        .or_matching().any_event_type_of("CourseDefined")
        .finalize()
    )  # fmt: skip
    assert found(school, one) == found(school, other) == [1, 5, 9]


def test_a_tag_given_twice_is_met_by_an_event_that_has_it_once(school: EventStore) -> None:
    assert found(school, FilterBuilder().matching().all_predicates_of(COURSE, COURSE).finalize()) == [1, 2, 5, 6, 9]


def test_two_values_of_one_key_never_hold_together(school: EventStore) -> None:
    both = FilterBuilder().matching().all_predicates_of(COURSE, P("Course", "C2")).finalize()
    assert found(school, both) == []


def test_event_types_are_compared_as_a_whole_and_by_letter_case(school: EventStore) -> None:
    for other in ("enrolled", "ENROLLED", "Enrol", "Enrolled ", "Enroll%", "EnrolledTwice"):
        assert found(school, of_types(other)) == []


def test_predicates_never_look_into_the_metadata(engine: EventStore) -> None:
    engine.append(StorableEvent.build("A", NOON, payload=b"{}", metadata=b'{"By": "Ann"}'))
    assert found(engine, having("By", "Ann")) == []


def test_a_filter_with_very_many_alternatives_works(engine: EventStore) -> None:
    append(engine, ("A", '{"K": 499}'), ("T499", "{}"), ("B", '{"K": -1}'))
    start = FilterBuilder().matching()
    first, *more = (P("K", number) for number in range(500))
    many = (
        start.any_predicate_of(first, *more).or_matching()
        .any_event_type_of("T0", *(f"T{number}" for number in range(500))).finalize()
    )  # fmt: skip
    assert found(engine, many) == [1, 2]
