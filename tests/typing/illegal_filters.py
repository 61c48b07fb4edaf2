"""Calls of the filter builder that must stay illegal. Never run: only type checkers read it.

Each line carries the error that it must give. Should one become legal, its comment is unused, which fails mypy.
"""

from datetime import UTC, datetime

from eventstore import AppendCondition, Filter, FilterBuilder, FilterItem, P

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
K = P("K", 1)
START = FilterBuilder().matching()

# A filter without meaning has no end.
FilterBuilder().finalize()  # type: ignore[attr-defined]
START.finalize()  # type: ignore[attr-defined]
START.any_event_type_of("A").or_matching().finalize()  # type: ignore[attr-defined]

# Every event is asked for in one way only, and then there is nothing to add.
FilterBuilder().matching_any_event().finalize()  # type: ignore[attr-defined]
FilterBuilder().matching_any_event().or_matching()  # type: ignore[attr-defined]
START.matching_any_event()  # type: ignore[attr-defined]

# An item begins with matching() and continues with or_matching().
FilterBuilder().any_event_type_of("A")  # type: ignore[attr-defined]
FilterBuilder().any_predicate_of(K)  # type: ignore[attr-defined]
FilterBuilder().or_matching()  # type: ignore[attr-defined]
START.matching()  # type: ignore[attr-defined]
START.or_matching()  # type: ignore[attr-defined]
START.any_event_type_of("A").matching()  # type: ignore[attr-defined]
START.and_any_event_type_of("A")  # type: ignore[attr-defined]
START.and_any_predicate_of(K)  # type: ignore[attr-defined]
START.and_all_predicates_of(K)  # type: ignore[attr-defined]

# At least one type, at least one predicate.
START.any_event_type_of()  # type: ignore[call-arg]
START.any_predicate_of()  # type: ignore[call-arg]
START.all_predicates_of()  # type: ignore[call-arg]
START.any_event_type_of("A").and_any_predicate_of()  # type: ignore[call-arg]
START.any_event_type_of("A").and_all_predicates_of()  # type: ignore[call-arg]
START.any_predicate_of(K).and_any_event_type_of()  # type: ignore[call-arg]

# Not a list of them, nor anything else in their place.
START.any_event_type_of(["A"])  # type: ignore[arg-type]
START.any_event_type_of(None)  # type: ignore[arg-type]
START.any_event_type_of("A", K)  # type: ignore[arg-type]
START.any_predicate_of([K])  # type: ignore[arg-type]
START.any_predicate_of("K", 1)  # type: ignore[arg-type]
START.all_predicates_of({"K": 1})  # type: ignore[arg-type]
START.any_event_type_of(first="A")  # type: ignore[call-arg]

# Types once, predicates once, any or all.
START.any_event_type_of("A").any_event_type_of("B")  # type: ignore[attr-defined]
START.any_event_type_of("A").and_any_event_type_of("B")  # type: ignore[attr-defined]
START.any_event_type_of("A").any_predicate_of(K)  # type: ignore[attr-defined]
START.any_event_type_of("A").and_any_predicate_of(K).and_any_predicate_of(K)  # type: ignore[attr-defined]
START.any_event_type_of("A").and_any_predicate_of(K).and_all_predicates_of(K)  # type: ignore[attr-defined]
START.any_event_type_of("A").and_all_predicates_of(K).and_any_predicate_of(K)  # type: ignore[attr-defined]
START.any_event_type_of("A").and_any_predicate_of(K).and_any_event_type_of("B")  # type: ignore[attr-defined]
START.any_predicate_of(K).and_any_predicate_of(K)  # type: ignore[attr-defined]
START.any_predicate_of(K).and_all_predicates_of(K)  # type: ignore[attr-defined]
START.all_predicates_of(K).all_predicates_of(K)  # type: ignore[attr-defined]
START.any_predicate_of(K).and_any_event_type_of("A").and_any_event_type_of("B")  # type: ignore[attr-defined]

# Bounds come after an item, not inside it, and nothing but bounds comes after them.
START.up_to(3)  # type: ignore[attr-defined]
START.occurred_from(NOON)  # type: ignore[attr-defined]
START.sequence_number_higher_than(3)  # type: ignore[attr-defined]
START.any_event_type_of("A").or_matching().up_to(3)  # type: ignore[attr-defined]
START.any_event_type_of("A").up_to(3).or_matching()  # type: ignore[attr-defined]
START.any_event_type_of("A").up_to(3).and_any_predicate_of(K)  # type: ignore[attr-defined]
START.any_predicate_of(K).occurred_until(NOON).and_any_event_type_of("A")  # type: ignore[attr-defined]
FilterBuilder().up_to(3).matching()  # type: ignore[attr-defined]
FilterBuilder().up_to(3).matching_any_event()  # type: ignore[attr-defined]

# Each bound once, wherever it was given before.
FilterBuilder().up_to(3).up_to(3)  # type: ignore[misc]
FilterBuilder().occurred_from(NOON).occurred_from(NOON)  # type: ignore[misc]
FilterBuilder().occurred_until(NOON).up_to(3).occurred_until(NOON)  # type: ignore[misc]
START.any_event_type_of("A").sequence_number_higher_than(3).sequence_number_higher_than(4)  # type: ignore[misc]
START.any_predicate_of(K).occurred_from(NOON).occurred_until(NOON).occurred_from(NOON)  # type: ignore[misc]

# Bounds are positions and moments.
FilterBuilder().up_to("3")  # type: ignore[arg-type]
FilterBuilder().up_to(None)  # type: ignore[arg-type]
FilterBuilder().sequence_number_higher_than(NOON)  # type: ignore[arg-type]
FilterBuilder().occurred_from("2026-03-01")  # type: ignore[arg-type]
FilterBuilder().occurred_until(None)  # type: ignore[arg-type]
FilterBuilder().matching_any_event().after_sequence_number(None)  # type: ignore[arg-type]
FilterBuilder().matching_any_event().as_of("3")  # type: ignore[arg-type]

# A predicate has a key and a JSON value.
P("K")  # type: ignore[call-arg]
P(1, "K")  # type: ignore[arg-type]
P(None, "K")  # type: ignore[arg-type]
P("K", b"bytes")  # type: ignore[arg-type]
P("K", NOON)  # type: ignore[arg-type]
P("K", {1, 2})  # type: ignore[arg-type]
P("K", {1: 2})  # type: ignore[dict-item]

# Without the builder the fields have names, and an item its kinds.
Filter((FilterItem(("A",)),))  # type: ignore[call-arg]
Filter(items=[FilterItem(("A",))])  # type: ignore[arg-type]
FilterItem("A")  # type: ignore[arg-type]
FilterItem(("A",), ("K",))  # type: ignore[arg-type]

# What was built never changes.
K.value = "2"  # type: ignore[misc]
FilterBuilder().matching_any_event().up_to = 3  # type: ignore[misc]

# A condition has a filter and a position, and none of them is optional.
AppendCondition(FilterBuilder().matching_any_event())  # type: ignore[call-arg]
AppendCondition(FilterBuilder().matching_any_event(), None)  # type: ignore[arg-type]
AppendCondition(START, 0)  # type: ignore[arg-type]
AppendCondition(START.any_event_type_of("A"), 0)  # type: ignore[arg-type]
