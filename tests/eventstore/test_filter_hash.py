"""The name of a stream: the same however a filter is spelled, another for every other meaning."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore import Filter, FilterBuilder, FilterItem, P
from tests.eventstore.examples import EVERYTHING, NOON, STRANGE_TEXTS, having, of_types

START = FilterBuilder().matching()
K, L = P("K", 1), P("L", "x")

SAME = [
    (of_types("A", "B"), of_types("B", "A", "B")),
    (START.any_predicate_of(K, L).finalize(), START.any_predicate_of(L, K, K).finalize()),
    (START.all_predicates_of(K, L).finalize(), START.all_predicates_of(L, K).finalize()),
    (START.any_predicate_of(K).finalize(), START.all_predicates_of(K).finalize()),
    (START.any_predicate_of(K, P("K", 1.0)).finalize(), START.all_predicates_of(P("K", Decimal("1.00"))).finalize()),
    (Filter(items=(FilterItem(("A",), all_predicates=True),)), of_types("A")),
    (having("K", {"a": 1, "b": [2]}), having("K", {"b": [2.0], "a": 1})),
    (
        START.any_event_type_of("A").and_any_predicate_of(K).finalize(),
        START.any_predicate_of(K).and_any_event_type_of("A").finalize(),
    ),
    (
        START.any_event_type_of("A").or_matching().any_predicate_of(K).finalize(),
        START.any_predicate_of(K).or_matching().any_event_type_of("A").or_matching().any_predicate_of(K).finalize(),
    ),
    (
        FilterBuilder().occurred_from(NOON).finalize(),
        FilterBuilder().occurred_from(NOON.astimezone(timezone(timedelta(hours=9)))).finalize(),
    ),
    (EVERYTHING, EVERYTHING.after_sequence_number(7).as_of(9)),
    (of_types("A"), START.any_event_type_of("A").sequence_number_higher_than(0).up_to(3).finalize()),
]

DIFFERENT = [
    EVERYTHING,
    of_types("A"),
    of_types("B"),
    of_types("A", "B"),
    of_types("A,B"),
    of_types('A", "B'),
    START.any_event_type_of("A").or_matching().any_event_type_of("B").finalize(),
    having("A", 1),
    having("A", "1"),
    having("A", True),
    having("A", None),
    having("A", "null"),
    having("A", [1]),
    having("A", ["1"]),
    having("A", {"1": 1}),
    having("A", Decimal("1.5")),
    having("A", [1, 2]),
    having("A", [2, 1]),
    having("A1", 1),
    having("A: 1", 1),
    START.any_predicate_of(K, L).finalize(),
    START.all_predicates_of(K, L).finalize(),
    START.any_predicate_of(K).or_matching().any_predicate_of(L).finalize(),
    START.any_event_type_of("A").and_any_predicate_of(K, L).finalize(),
    START.any_event_type_of("A").and_all_predicates_of(K, L).finalize(),
    START.any_event_type_of("A").or_matching().any_predicate_of(K, L).finalize(),
    FilterBuilder().occurred_from(NOON).finalize(),
    FilterBuilder().occurred_until(NOON).finalize(),
    FilterBuilder().occurred_from(NOON).occurred_until(NOON).finalize(),
    FilterBuilder().occurred_from(NOON + timedelta(microseconds=1)).finalize(),
    START.any_event_type_of("A").occurred_until(NOON).finalize(),
    *[of_types(text) for text in STRANGE_TEXTS],
    *[having(text, 1) for text in STRANGE_TEXTS],
    *[having("K", text) for text in STRANGE_TEXTS],
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_filters_that_say_the_same_have_one_hash(one: Filter, other: Filter) -> None:
    assert one.hash() == other.hash()


def test_filters_that_mean_something_else_have_another_hash() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert one.hash() != other.hash(), f"{one} | {other}"


def test_a_hash_is_the_same_in_every_process_and_release() -> None:
    """Snapshots are found by it: whoever changes the normal form must raise its version, and this test."""
    boundary = START.any_event_type_of("Lent", "Returned").and_any_predicate_of(P("Book", 1), P("Reader", "Ann"))
    known = "74644dab0c09071326394b6c08b3e80fc5d675594889532cb210b8467a8b217d"
    assert boundary.finalize().hash() == known


characters = st.characters(codec="utf-8", exclude_characters="\0")
values = st.text(characters, max_size=4) | st.integers() | st.booleans()
predicates = st.builds(P, st.text(characters, min_size=1, max_size=3), values)
items = st.builds(
    FilterItem, st.lists(st.text("AB,\"' ", min_size=1), min_size=1, max_size=3).map(tuple),
    st.lists(predicates, max_size=3).map(tuple), st.booleans(),
)  # fmt: skip


@given(st.lists(items, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_no_order_of_items_types_or_predicates_changes_the_hash(some: list[FilterItem], chance: Random) -> None:
    mixed = [_mixed(item, chance) for item in [*some, some[0]]]
    chance.shuffle(mixed)
    assert Filter(items=tuple(mixed)).hash() == Filter(items=tuple(some)).hash()


def _mixed(item: FilterItem, chance: Random) -> FilterItem:
    event_types, found = list(item.event_types), list(item.predicates)
    chance.shuffle(event_types)
    chance.shuffle(found)
    return replace(item, event_types=tuple(event_types), predicates=tuple(found))


@given(items, items)
def test_items_with_one_hash_have_one_meaning(one: FilterItem, other: FilterItem) -> None:
    """The normal form leaves nothing out: from it the item can be built again."""
    types, quantifier, pairs = one.normal_form()
    rebuilt = FilterItem(tuple(types), tuple(P(key, json.loads(value)) for key, value in pairs), quantifier == "all")
    assert Filter(items=(rebuilt,)).hash() == Filter(items=(one,)).hash()
    same_hash = Filter(items=(one,)).hash() == Filter(items=(other,)).hash()
    assert same_hash == (one.normal_form() == other.normal_form())
