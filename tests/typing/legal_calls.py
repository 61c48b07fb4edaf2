"""Calls that must stay legal, and the types they give: so that what is illegal is so for its own reason.

Never run: only type checkers read it. A checker that found fault with everything would find fault here.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from eventstore import (
    AppendCondition,
    Consistency,
    EventStore,
    EventStream,
    Filter,
    FilterBuilder,
    FilterItem,
    InMemoryEventStore,
    P,
    SequencedEvent,
    StorableEvent,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = FilterBuilder().matching_any_event()
START = FilterBuilder().matching()
K, L = P("K", 1), P("L", None)


def filters() -> None:
    assert_type(EVERYTHING, Filter)
    assert_type(START.any_event_type_of("A", "B").finalize(), Filter)
    assert_type(START.any_event_type_of("A").and_any_predicate_of(K, L).finalize(), Filter)
    assert_type(START.any_event_type_of("A").and_all_predicates_of(K, L).finalize(), Filter)
    assert_type(START.any_predicate_of(K).and_any_event_type_of("A").finalize(), Filter)
    assert_type(START.all_predicates_of(K, L).and_any_event_type_of("A").finalize(), Filter)
    assert_type(START.any_predicate_of(K).or_matching().all_predicates_of(K, L).finalize(), Filter)
    assert_type(
        START.any_event_type_of("A").and_any_predicate_of(K).or_matching().any_predicate_of(L).finalize(), Filter
    )


def bounds() -> None:
    assert_type(FilterBuilder().up_to(3).finalize(), Filter)
    START.any_event_type_of("A").occurred_from(NOON).occurred_until(NOON).up_to(9).finalize()
    START.any_predicate_of(K).sequence_number_higher_than(3).up_to(9).occurred_until(NOON).finalize()
    FilterBuilder().up_to(9).sequence_number_higher_than(3).occurred_until(NOON).occurred_from(NOON).finalize()
    assert_type(EVERYTHING.after_sequence_number(3).as_of(9).as_of_moment(NOON), Filter)


def predicates() -> None:
    P("K", "text")
    P("K", 1.5)
    P("K", Decimal("1E2"))
    P("K", True)
    P("K", ["a", 1, None])
    P("K", {"a": {"b": [1, 2]}})
    assert_type(Filter(items=(FilterItem(("A",), (K,), all_predicates=True),), up_to=3), Filter)


def calls(store: EventStore, event: StorableEvent) -> None:
    stream = store.query(EVERYTHING, limit=3, backwards=True, consistency=Consistency.EVENTUAL, at_least=None)
    assert_type(stream, EventStream)
    assert_type(stream.events, tuple[SequencedEvent, ...])
    assert_type(stream.append_condition, AppendCondition)
    assert_type(store.stream(EVERYTHING), Iterator[SequencedEvent])
    assert_type(store.append(event, event, event, condition=stream.append_condition), list[int])
    assert_type(store.append(event, condition=AppendCondition(EVERYTHING, after=0)), list[int])
    assert_type(store.append(event, condition=None), list[int])
    assert_type([found.payload for found in stream], list[bytes])


def events() -> None:
    assert_type(StorableEvent.build("A", NOON, payload=b"{}", metadata=b"{}", event_id=None), StorableEvent)


in_memory: EventStore = InMemoryEventStore()
