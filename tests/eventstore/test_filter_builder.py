"""The staged builder: what each way through it builds, and what it refuses while it runs."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from eventstore import Filter, FilterBuilder, FilterItem, InvalidFilter, P

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
K, L = P("K", 1), P("L", "x")
START = FilterBuilder().matching()
BOUNDS: dict[str, Any] = {
    "occurred_from": NOON,
    "occurred_until": LATER,
    "sequence_number_higher_than": 3,
    "up_to": 9,
}


def test_every_event_must_be_asked_for_explicitly() -> None:
    assert FilterBuilder().matching_any_event() == Filter(any_event=True)
    assert not hasattr(FilterBuilder(), "finalize")
    assert not hasattr(START, "finalize")


@pytest.mark.parametrize(
    ("built", "item"),
    [
        (START.any_event_type_of("A"), FilterItem(("A",))),
        (START.any_event_type_of("A", "B"), FilterItem(("A", "B"))),
        (START.any_predicate_of(K), FilterItem((), (K,))),
        (START.any_predicate_of(K, L), FilterItem((), (K, L))),
        (START.all_predicates_of(K, L), FilterItem((), (K, L), all_predicates=True)),
        (START.any_event_type_of("A").and_any_predicate_of(K, L), FilterItem(("A",), (K, L))),
        (START.any_event_type_of("A").and_all_predicates_of(K, L), FilterItem(("A",), (K, L), all_predicates=True)),
        (START.any_predicate_of(K, L).and_any_event_type_of("A", "B"), FilterItem(("A", "B"), (K, L))),
        (START.all_predicates_of(K).and_any_event_type_of("A"), FilterItem(("A",), (K,), all_predicates=True)),
    ],
    ids=str,
)
def test_each_way_to_an_item_builds_that_item(built: Any, item: FilterItem) -> None:
    assert built.finalize() == Filter(items=(item,))
    assert built.or_matching().any_event_type_of("Z").finalize() == Filter(items=(item, FilterItem(("Z",))))
    assert built.up_to(3).finalize() == Filter(items=(item,), up_to=3)


def test_items_keep_the_order_in_which_they_were_given() -> None:
    three = (
        START.any_event_type_of("C")
        .or_matching().any_predicate_of(K)
        .or_matching().all_predicates_of(K, L).and_any_event_type_of("A")
        .finalize()
    )  # fmt: skip
    assert three.items == (
        FilterItem(("C",)),
        FilterItem((), (K,)),
        FilterItem(("A",), (K, L), all_predicates=True),
    )


@pytest.mark.parametrize("order", list(permutations(BOUNDS)), ids=" ".join)
def test_bounds_can_be_given_in_any_order(order: tuple[str, ...]) -> None:
    for step, expected in (
        (FilterBuilder(), Filter(any_event=True, **BOUNDS)),
        (START.any_event_type_of("A"), Filter(items=(FilterItem(("A",)),), **BOUNDS)),
        (START.any_predicate_of(K), Filter(items=(FilterItem((), (K,)),), **BOUNDS)),
        (START.any_predicate_of(K).and_any_event_type_of("A"), Filter(items=(FilterItem(("A",), (K,)),), **BOUNDS)),
    ):
        bounded: Any = step
        for name in order:
            bounded = getattr(bounded, name)(BOUNDS[name])
        assert bounded.finalize() == expected


@pytest.mark.parametrize("name", list(BOUNDS))
def test_a_bound_alone_means_every_event_within_it(name: str) -> None:
    assert getattr(FilterBuilder(), name)(BOUNDS[name]).finalize() == Filter(any_event=True, **{name: BOUNDS[name]})


@pytest.mark.parametrize("name", list(BOUNDS))
def test_a_bound_can_be_given_once_also_for_those_without_a_type_checker(name: str) -> None:
    for step in (FilterBuilder(), START.any_event_type_of("A")):
        once = getattr(step, name)(BOUNDS[name])
        with pytest.raises(InvalidFilter, match=name):
            getattr(once, name)(BOUNDS[name])


@pytest.mark.parametrize("name", ["sequence_number_higher_than", "up_to"])
def test_a_bound_of_zero_counts_as_given(name: str) -> None:
    once = getattr(FilterBuilder(), name)(0)
    assert getattr(once.finalize(), name) == 0
    with pytest.raises(InvalidFilter, match=name):
        getattr(once, name)(0)


@pytest.mark.parametrize("name", list(BOUNDS))
@pytest.mark.parametrize("bound", [None, "", -1, datetime(2026, 3, 1)])  # noqa: DTZ001
def test_a_bound_without_meaning_is_refused(name: str, bound: object) -> None:
    with pytest.raises(InvalidFilter, match=name):
        getattr(FilterBuilder(), name)(bound)


@pytest.mark.parametrize(
    "call",
    [
        START.any_event_type_of,
        START.any_predicate_of,
        START.all_predicates_of,
        START.any_event_type_of("A").and_any_predicate_of,
        START.any_event_type_of("A").and_all_predicates_of,
        START.any_predicate_of(K).and_any_event_type_of,
    ],
)
def test_at_least_one_type_or_predicate_is_needed(call: Any) -> None:
    with pytest.raises(TypeError):
        call()
    for nothing in ("", None, [], (), [K], ["A"]):
        with pytest.raises(InvalidFilter):
            call(nothing)


def test_a_wrong_argument_is_refused_wherever_it_stands() -> None:
    wrong: Any = None
    for build in (
        lambda: START.any_event_type_of("A", "B", ""),
        lambda: START.any_event_type_of("A", wrong),
        lambda: START.any_predicate_of(K, wrong),
        lambda: START.all_predicates_of(K, L, wrong),
    ):
        with pytest.raises(InvalidFilter):
            build()


def test_a_step_can_be_continued_in_two_ways() -> None:
    """Every step is a value of its own: what one continuation adds, the other does not see."""
    common = START.any_event_type_of("A")
    one, other = common.and_any_predicate_of(K), common.and_all_predicates_of(K, L)
    more, fewer = common.or_matching().any_event_type_of("B"), common.up_to(3)
    assert common.finalize() == Filter(items=(FilterItem(("A",)),))
    assert one.finalize() == Filter(items=(FilterItem(("A",), (K,)),))
    assert other.finalize() == Filter(items=(FilterItem(("A",), (K, L), all_predicates=True),))
    assert more.finalize() == Filter(items=(FilterItem(("A",)), FilterItem(("B",))))
    assert fewer.finalize() == Filter(items=(FilterItem(("A",)),), up_to=3)


def test_a_step_never_changes() -> None:
    for step in (START, START.any_event_type_of("A"), START.any_predicate_of(K), FilterBuilder().up_to(3)):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            step.anything = 1  # type: ignore[union-attr]


def test_an_illegal_step_is_a_method_that_does_not_exist() -> None:
    item = START.any_event_type_of("A")
    for step, missing in (
        (FilterBuilder(), ("or_matching", "finalize", "any_event_type_of")),
        (START, ("or_matching", "finalize", "matching", "up_to", "occurred_from", "and_any_predicate_of")),
        (item, ("any_event_type_of", "and_any_event_type_of", "any_predicate_of", "matching")),
        (START.any_predicate_of(K), ("and_any_predicate_of", "and_all_predicates_of", "any_event_type_of")),
        (item.and_any_predicate_of(K), ("and_any_predicate_of", "and_all_predicates_of", "and_any_event_type_of")),
        (item.up_to(3), ("or_matching", "matching", "and_any_predicate_of", "any_event_type_of")),
    ):
        assert [name for name in missing if hasattr(step, name)] == []
