"""What an append does: order, atomicity, and the guard. The same for every engine."""

import uuid
from datetime import timedelta
from itertools import product

import pytest

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    ConflictingEvent,
    EventStore,
    Filter,
    FilterBuilder,
    InvalidCondition,
    P,
    PositionUnknown,
    StorableEvent,
)
from tests.eventstore.examples import EVERYTHING, NOON, event, of_types, types_in_order


def conflict_of(engine: EventStore, filter: Filter, after: int) -> ConcurrencyConflict:
    """The conflict that a guarded append meets, which leaves nothing behind."""
    before = engine.query(EVERYTHING)
    with pytest.raises(ConcurrencyConflict) as caught:
        engine.append(event("Guarded"), condition=AppendCondition(filter, after))
    with pytest.raises(ConcurrencyConflict) as of_batch:
        engine.append(event("Guarded"), event("Guarded"), condition=AppendCondition(filter, after))
    assert engine.query(EVERYTHING) == before
    assert str(of_batch.value) == str(caught.value)
    assert of_batch.value.event == caught.value.event
    return caught.value


def test_one_event_gets_the_next_number(engine: EventStore) -> None:
    assert engine.append(event()) == [1]
    assert engine.append(event()) == [2]


def test_a_batch_keeps_its_order(engine: EventStore) -> None:
    engine.append(event("First"))
    types = [f"T{position}" for position in (3, 1, 2, 9, 5)]
    assert engine.append(*[event(event_type) for event_type in types]) == [2, 3, 4, 5, 6]
    assert types_in_order(engine) == ["First", *types]


def test_a_large_batch_keeps_its_order(engine: EventStore) -> None:
    first, *more = [event(payload=f'{{"N": {number}}}') for number in range(3000)]
    assert engine.append(first, *more) == list(range(1, 3001))
    found = engine.query(EVERYTHING).events
    assert [one.payload for one in found] == [f'{{"N": {number}}}'.encode() for number in range(3000)]


def test_every_event_of_a_batch_keeps_its_own_content(engine: EventStore) -> None:
    batch = [
        StorableEvent.build(
            f"T{number}",
            NOON + timedelta(days=number),
            payload=f'{{"P": {number}}}'.encode(),
            metadata=f'{{"M": {number}}}'.encode(),
        )
        for number in range(3)
    ]
    engine.append(batch[0], *batch[1:])
    for stored, given in zip(engine.query(EVERYTHING), batch, strict=True):
        assert (stored.event_id, stored.event_type, stored.occurred_at) == (
            given.event_id,
            given.event_type,
            given.occurred_at,
        )
        assert (stored.payload, stored.metadata) == (given.payload, given.metadata)


def test_an_append_without_condition_always_appends(engine: EventStore) -> None:
    for expected in (1, 2, 3):
        assert engine.append(event()) == [expected]


def test_the_condition_of_a_fresh_query_lets_the_append_through(engine: EventStore) -> None:
    engine.append(event("A"))
    condition = engine.query(of_types("A")).append_condition
    assert engine.append(event("A"), condition=condition) == [2]


def test_one_position_wins_once(engine: EventStore) -> None:
    condition = engine.query(of_types("A")).append_condition
    engine.append(event("A"), condition=condition)
    with pytest.raises(ConcurrencyConflict):
        engine.append(event("A"), condition=condition)
    assert types_in_order(engine) == ["A"]


def test_an_append_that_the_filter_does_not_mean_leaves_the_position_good(engine: EventStore) -> None:
    condition = engine.query(of_types("A")).append_condition
    engine.append(event("B"))
    engine.append(event("C"), event("B"))
    assert engine.append(event("A"), condition=condition) == [4]


def test_after_zero_means_that_nothing_may_match_at_all(engine: EventStore) -> None:
    """Zero is falsy, and a position all the same."""
    engine.append(event("A"))
    assert conflict_of(engine, of_types("A"), after=0).event.sequence_number == 1
    assert conflict_of(engine, EVERYTHING, after=0).event.sequence_number == 1
    assert engine.append(event("B"), condition=AppendCondition(of_types("B"), after=0)) == [2]


def test_after_zero_passes_in_an_empty_store(engine: EventStore) -> None:
    assert engine.append(event("A"), condition=AppendCondition(EVERYTHING, after=0)) == [1]


def test_the_position_itself_is_outside_the_guard(engine: EventStore) -> None:
    engine.append(event("A"), event("A"))
    assert conflict_of(engine, of_types("A"), after=1).event.sequence_number == 2
    assert engine.append(event("B"), condition=AppendCondition(of_types("A"), after=2)) == [3]
    assert engine.append(event("B"), condition=AppendCondition(of_types("A"), after=2)) == [4]


def test_a_position_beyond_the_head_is_refused(engine: EventStore) -> None:
    engine.append(event("A"))
    for wanted, after in product((of_types("Unknown"), EVERYTHING), (2, 5000, 2**63 - 1)):
        for batch in ([event("B")], [event("B"), event("B")]):
            with pytest.raises(PositionUnknown) as caught:
                engine.append(*batch, condition=AppendCondition(wanted, after))
            assert (caught.value.after, caught.value.head) == (after, 1)
    assert types_in_order(engine) == ["A"]


def test_a_position_beyond_the_head_of_an_empty_store_is_refused(engine: EventStore) -> None:
    with pytest.raises(PositionUnknown) as caught:
        engine.append(event("B"), condition=AppendCondition(EVERYTHING, 1))
    assert (caught.value.after, caught.value.head) == (1, 0)


def test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets(engine: EventStore) -> None:
    second = event("Lent", '{"Book": 1, "Reader": 2}')
    engine.append(event("Added"), event("Lent", '{"Book": 7}'), second, event("Lent", '{"Book": 1}'), event("Added"))
    wanted = (
        FilterBuilder()
        .matching().any_event_type_of("Returned")
        .or_matching().any_event_type_of("Lent").and_any_predicate_of(P("Book", 1), P("Reader", 9))
        .or_matching().any_predicate_of(P("Reader", 2))
        .finalize()
    )  # fmt: skip
    conflict = conflict_of(engine, wanted, after=1)
    assert conflict.event == ConflictingEvent(3, "Lent", second.event_id)
    assert isinstance(conflict.event.event_id, uuid.UUID)
    assert conflict.filter_item == str(wanted.items[1]) == "Lent with Book = 1 or Reader = 9"
    assert (conflict.after, conflict.head) == (1, 5)
    assert str(conflict) == "event 3 (Lent) was appended after position 1 and matches Lent with Book = 1 or Reader = 9"


def test_a_conflict_with_every_event_says_so(engine: EventStore) -> None:
    engine.append(event("A"), event("B"))
    conflict = conflict_of(engine, EVERYTHING, after=1)
    assert conflict.event.event_type == "B"
    assert conflict.filter_item == "any event"


BOUNDED = [
    FilterBuilder().matching().any_event_type_of("A").sequence_number_higher_than(100).finalize(),
    FilterBuilder().matching().any_event_type_of("A").up_to(0).finalize(),
    FilterBuilder().matching().any_event_type_of("A").occurred_from(NOON + timedelta(days=1)).finalize(),
    FilterBuilder().matching().any_event_type_of("A").occurred_until(NOON - timedelta(days=1)).finalize(),
    FilterBuilder().matching().any_predicate_of(P("K", 1)).occurred_from(NOON + timedelta(days=1)).finalize(),
    FilterBuilder().occurred_from(NOON + timedelta(days=1)).up_to(0).finalize(),
]


def test_bounds_never_narrow_a_guard(engine: EventStore) -> None:
    engine.append(event("A", '{"K": 1}'))
    for bounded in BOUNDED:
        assert engine.query(bounded).events == ()
        assert conflict_of(engine, bounded, after=0).event.sequence_number == 1


def test_a_bounded_read_guards_with_the_head_of_the_store(engine: EventStore) -> None:
    engine.append(event("A"), event("A"))
    stream = engine.query(of_types("A").after_sequence_number(1))
    assert engine.append(event("A"), condition=stream.append_condition) == [3]
    with pytest.raises(ConcurrencyConflict):
        engine.append(event("A"), condition=stream.append_condition)


@pytest.fixture
def busy(engine: EventStore) -> EventStore:
    """A store in which very many others appended since position 1: more than a guard looks through at once."""
    rare = event("Rare", '{"Book": 1}')
    first, *more = [event("Common", f'{{"Book": {100 + number}}}') for number in range(1500)]
    engine.append(event("Early"))
    engine.append(first, *more)
    engine.append(rare, event("Common"))
    return engine


def test_a_very_old_position_is_good_while_nothing_matches(busy: EventStore) -> None:
    assert busy.append(event("X"), condition=AppendCondition(of_types("Early"), after=1)) == [1504]
    nothing = FilterBuilder().matching().any_predicate_of(P("Book", 2)).finalize()
    assert busy.append(event("X"), event("X"), condition=AppendCondition(nothing, after=0)) == [1505, 1506]


def test_a_very_old_position_meets_the_same_conflict_as_a_young_one(busy: EventStore) -> None:
    wanted = (
        FilterBuilder().matching().any_event_type_of("Unknown").or_matching().any_predicate_of(P("Book", 1)).finalize()
    )
    for after in (0, 1, 501, 1200):
        conflict = conflict_of(busy, wanted, after)
        assert conflict.event.sequence_number == 1502
        assert conflict.event.event_type == "Rare"
        assert conflict.filter_item == "any event with Book = 1"
        assert (conflict.after, conflict.head) == (after, 1503)


def test_a_very_old_position_meets_a_conflict_with_every_event(busy: EventStore) -> None:
    conflict = conflict_of(busy, EVERYTHING, after=0)
    assert (conflict.event.sequence_number, conflict.filter_item) == (1, "any event")


def test_bounds_do_not_narrow_the_guard_of_a_very_old_position(busy: EventStore) -> None:
    tomorrow = NOON + timedelta(days=1)
    bounded = FilterBuilder().matching().any_event_type_of("Rare").occurred_from(tomorrow).up_to(3).finalize()
    assert conflict_of(busy, bounded, after=1).event.sequence_number == 1502


@pytest.mark.parametrize("after", [-1, 2**63, True, False, 1.0, "1", None])
def test_a_condition_needs_a_position(after: int) -> None:
    with pytest.raises(InvalidCondition, match="after"):
        AppendCondition(EVERYTHING, after)


def test_a_condition_needs_a_filter() -> None:
    with pytest.raises(InvalidCondition, match="Filter"):
        AppendCondition("everything", 0)  # type: ignore[arg-type]
