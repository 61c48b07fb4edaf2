"""Which events a filter means: types, predicates, items, and JSON values told apart."""

import json
from decimal import Decimal

import pytest

from eventstore import AppendCondition, ConcurrencyConflict, EventStore, Filter, FilterBuilder, P, StorableEvent
from eventstore.json_values import JsonInput
from eventstore.testing.contract.base import Ability, Part
from eventstore.testing.contract.examples import (
    EVERYTHING,
    NOON,
    STRANGE_TEXTS,
    event,
    having,
    of_types,
    types_in_order,
)


def append(engine: EventStore, *events: tuple[str, str]) -> None:
    """Append events of these types and payloads."""
    engine.append(*[event(event_type, payload) for event_type, payload in events])


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


COURSE, STUDENT = P("Course", "C1"), P("Student", "S1")


class Matching(Part):
    """The meaning of filters, asked of the query, of the guard and of `Filter.matches`."""

    def found(self, engine: EventStore, filter: Filter) -> list[int]:
        """The positions that the query returns, of which `Filter.matches` and the guard must say the same."""
        everything = engine.query(EVERYTHING)
        numbers = [one.sequence_number for one in engine.query(filter)]
        assert [one.sequence_number for one in everything if filter.matches(one)] == numbers
        for after, first in zip([0, *numbers], numbers, strict=False):
            with pytest.raises(ConcurrencyConflict) as caught:
                engine.append(event("Probe"), condition=AppendCondition(filter, after))
            if self.engine_has(Ability.EXPLAINED_CONFLICTS):
                assert caught.value.event.sequence_number == first
        assert engine.append(event("Probe"), condition=AppendCondition(filter, max(numbers, default=0)))
        return numbers

    def test_a_predicate_tells_json_values_apart(self, engine: EventStore) -> None:
        append(engine, *[("A", f'{{"K": {value}}}') for value in VALUES])
        append(engine, ("A", "{}"), ("A", '{"k": 1}'), ("A", '{"Other": {"K": 1}}'), ("A", '{"Other": [{"K": "1"}]}'))
        assert [(wanted, self.found(engine, having("K", wanted))) for wanted, _ in MEANT] == MEANT

    def test_null_is_a_value_and_an_absent_key_is_none(self, engine: EventStore) -> None:
        append(engine, ("A", '{"K": null}'), ("A", "{}"), ("A", '{"K": "null"}'), ("A", '{"L": null}'))
        assert self.found(engine, having("K", None)) == [1]

    def test_a_scalar_is_not_found_inside_an_array(self, engine: EventStore) -> None:
        """At its top level `@>` makes an exception for arrays; below it, where predicates look, there is none."""
        append(engine, ("A", '{"K": ["x"]}'), ("A", '{"K": "x"}'))
        assert self.found(engine, having("K", "x")) == [2]
        assert self.found(engine, having("K", ["x"])) == [1]

    def test_every_string_is_a_value_and_never_sql(self, engine: EventStore) -> None:
        append(engine, *[("A", f'{{"K": {json.dumps(text)}}}') for text in STRANGE_TEXTS])
        assert {text: self.found(engine, having("K", text)) for text in STRANGE_TEXTS} == {
            text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
        }

    def test_every_string_is_a_key_and_never_sql(self, engine: EventStore) -> None:
        append(engine, *[("A", f'{{{json.dumps(text)}: "here"}}') for text in STRANGE_TEXTS])
        assert {text: self.found(engine, having(text, "here")) for text in STRANGE_TEXTS} == {
            text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
        }

    def test_every_string_is_an_event_type_and_never_sql(self, engine: EventStore) -> None:
        append(engine, *[(text, "{}") for text in STRANGE_TEXTS])
        assert {text: self.found(engine, of_types(text)) for text in STRANGE_TEXTS} == {
            text: [position] for position, text in enumerate(STRANGE_TEXTS, start=1)
        }
        assert [text for text in types_in_order(engine) if text != "Probe"] == STRANGE_TEXTS

    @pytest.fixture
    def school(self, engine: EventStore) -> EventStore:
        """Four pairs of a course and a student enroll, then leave; positions 1 to 8. At 9 one course is defined."""
        pairs = [("C1", "S1"), ("C1", "S2"), ("C2", "S1"), ("C2", "S2")]
        for event_type in ("Enrolled", "Left"):
            append(
                engine,
                *[(event_type, f'{{"Course": "{course}", "Student": "{student}"}}') for course, student in pairs],
            )
        append(engine, ("CourseDefined", '{"Course": "C1"}'))
        return engine

    def test_any_predicate_is_enough_where_any_is_asked(self, school: EventStore) -> None:
        item = FilterBuilder().matching().any_predicate_of(COURSE, STUDENT)
        assert self.found(school, item.finalize()) == [1, 2, 3, 5, 6, 7, 9]
        assert self.found(school, item.and_any_event_type_of("Left").finalize()) == [5, 6, 7]

    def test_every_predicate_must_hold_where_all_are_asked(self, school: EventStore) -> None:
        item = FilterBuilder().matching().all_predicates_of(COURSE, STUDENT)
        assert self.found(school, item.finalize()) == [1, 5]
        assert self.found(school, item.and_any_event_type_of("Left", "CourseDefined").finalize()) == [5]

    def test_items_of_types_of_tags_and_of_both_work_side_by_side(self, school: EventStore) -> None:
        wanted = (
            FilterBuilder()
            .matching().any_event_type_of("CourseDefined", "Unknown")
            .or_matching().all_predicates_of(COURSE, STUDENT)
            .or_matching().any_event_type_of("Enrolled", "Unknown").and_all_predicates_of(P("Course", "C2"), STUDENT)
            .finalize()
        )  # fmt: skip
        assert self.found(school, wanted) == [1, 3, 5, 9]

    def test_every_scalar_pair_of_a_payload_is_a_tag(self, engine: EventStore) -> None:
        pairs: dict[str, JsonInput] = {"Course": "C1", "Seats": 30, "Open": True, "Room": None}
        append(engine, ("A", json.dumps(pairs)), ("A", "{}"))
        for key, value in pairs.items():
            assert self.found(engine, having(key, value)) == [1]
        both = FilterBuilder().matching().all_predicates_of(*[P(*pair) for pair in pairs.items()]).finalize()
        assert self.found(engine, both) == [1]

    def test_a_tag_that_an_event_gives_twice_is_one_tag(self, engine: EventStore) -> None:
        append(engine, ("A", '{"Course": "C1", "Course": "C1"}'))
        [found] = engine.query(EVERYTHING)
        assert json.loads(found.payload, object_pairs_hook=list) == [("Course", "C1")]
        assert self.found(engine, having("Course", "C1")) == [1]

    def test_types_and_predicates_of_one_item_must_both_hold(self, school: EventStore) -> None:
        item = FilterBuilder().matching().any_event_type_of("Enrolled", "CourseDefined")
        assert self.found(school, item.finalize()) == [1, 2, 3, 4, 9]
        assert self.found(school, item.and_any_predicate_of(COURSE, STUDENT).finalize()) == [1, 2, 3, 9]
        assert self.found(school, item.and_all_predicates_of(COURSE, STUDENT).finalize()) == [1]

    def test_items_are_alternatives_and_never_joined_by_and(self, school: EventStore) -> None:
        wanted = (
            FilterBuilder()
            .matching().any_event_type_of("Enrolled").and_all_predicates_of(COURSE, STUDENT)
            .or_matching().any_event_type_of("Left").and_any_predicate_of(P("Course", "C2"))
            .or_matching().any_event_type_of("CourseDefined")
            .finalize()
        )  # fmt: skip
        assert self.found(school, wanted) == [1, 7, 8, 9]

    def test_an_event_that_several_items_mean_is_returned_once(self, school: EventStore) -> None:
        wanted = (
            FilterBuilder()
            .matching().any_predicate_of(COURSE, STUDENT)
            .or_matching().any_predicate_of(STUDENT, COURSE, COURSE)
            .or_matching().any_event_type_of("Enrolled")
            .finalize()
        )  # fmt: skip
        assert self.found(school, wanted) == [1, 2, 3, 4, 5, 6, 7, 9]

    def test_the_order_and_repetition_of_types_predicates_and_items_do_not_matter(self, school: EventStore) -> None:
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
        assert self.found(school, one) == self.found(school, other) == [1, 5, 9]

    def test_a_tag_given_twice_is_met_by_an_event_that_has_it_once(self, school: EventStore) -> None:
        assert self.found(school, FilterBuilder().matching().all_predicates_of(COURSE, COURSE).finalize()) == [
            1,
            2,
            5,
            6,
            9,
        ]

    def test_two_values_of_one_key_never_hold_together(self, school: EventStore) -> None:
        both = FilterBuilder().matching().all_predicates_of(COURSE, P("Course", "C2")).finalize()
        assert self.found(school, both) == []

    def test_event_types_are_compared_as_a_whole_and_by_letter_case(self, school: EventStore) -> None:
        for other in ("enrolled", "ENROLLED", "Enrol", "Enrolled ", "Enroll%", "EnrolledTwice"):
            assert self.found(school, of_types(other)) == []

    def test_predicates_never_look_into_the_metadata(self, engine: EventStore) -> None:
        engine.append(StorableEvent.build("A", NOON, payload=b"{}", metadata=b'{"By": "Ann"}'))
        assert self.found(engine, having("By", "Ann")) == []

    def test_a_filter_with_very_many_alternatives_works(self, engine: EventStore) -> None:
        append(engine, ("A", '{"K": 499}'), ("T499", "{}"), ("B", '{"K": -1}'))
        start = FilterBuilder().matching()
        first, *more = (P("K", number) for number in range(500))
        many = (
            start.any_predicate_of(first, *more).or_matching()
            .any_event_type_of("T0", *(f"T{number}" for number in range(500))).finalize()
        )  # fmt: skip
        assert self.found(engine, many) == [1, 2]
