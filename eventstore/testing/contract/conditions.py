"""What an append condition guards: whatever matches its filter and came after its position, and nothing else."""

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
    P,
    PositionUnknown,
)
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, having, of_types, types_in_order


def conflict_of(engine: EventStore, filter: Filter, after: int) -> ConcurrencyConflict:
    """The conflict that a guarded event meets, and a guarded batch as well; it leaves nothing behind."""
    before = engine.query(EVERYTHING)
    with pytest.raises(ConcurrencyConflict) as caught:
        engine.append(event("Guarded"), condition=AppendCondition(filter, after))
    with pytest.raises(ConcurrencyConflict):
        engine.append(event("Guarded"), event("Guarded"), condition=AppendCondition(filter, after))
    assert engine.query(EVERYTHING) == before
    return caught.value


BOUNDED = [
    FilterBuilder().matching().any_event_type_of("A").sequence_number_higher_than(100).finalize(),
    FilterBuilder().matching().any_event_type_of("A").up_to(0).finalize(),
    FilterBuilder().matching().any_event_type_of("A").occurred_from(NOON + timedelta(days=1)).finalize(),
    FilterBuilder().matching().any_event_type_of("A").occurred_until(NOON - timedelta(days=1)).finalize(),
    FilterBuilder().matching().any_predicate_of(P("K", 1)).occurred_from(NOON + timedelta(days=1)).finalize(),
    FilterBuilder().occurred_from(NOON + timedelta(days=1)).up_to(0).finalize(),
]


class Conditions(Part):
    """The guard of an append."""

    def test_the_condition_of_a_fresh_query_lets_the_append_through(self, engine: EventStore) -> None:
        engine.append(event("A"))
        condition = engine.query(of_types("A")).append_condition
        assert engine.append(event("A"), condition=condition) == [2]

    def test_one_position_wins_once(self, engine: EventStore) -> None:
        condition = engine.query(of_types("A")).append_condition
        engine.append(event("A"), condition=condition)
        with pytest.raises(ConcurrencyConflict):
            engine.append(event("A"), condition=condition)
        assert types_in_order(engine) == ["A"]

    def test_an_append_that_the_filter_does_not_mean_leaves_the_position_good(self, engine: EventStore) -> None:
        condition = engine.query(of_types("A")).append_condition
        engine.append(event("B"))
        engine.append(event("C"), event("B"))
        assert engine.append(event("A"), condition=condition) == [4]

    def test_the_events_of_the_batch_itself_are_no_conflict(self, engine: EventStore) -> None:
        assert engine.append(event("A"), event("A"), condition=AppendCondition(of_types("A"), after=0)) == [1, 2]

    def test_after_zero_means_that_nothing_may_match_at_all(self, engine: EventStore) -> None:
        """Zero is falsy, and a position all the same."""
        engine.append(event("A"))
        conflict_of(engine, of_types("A"), after=0)
        conflict_of(engine, EVERYTHING, after=0)
        assert engine.append(event("B"), condition=AppendCondition(of_types("B"), after=0)) == [2]

    def test_after_zero_passes_in_an_empty_store(self, engine: EventStore) -> None:
        assert engine.append(event("A"), condition=AppendCondition(EVERYTHING, after=0)) == [1]

    def test_events_up_to_the_position_are_ignored(self, engine: EventStore) -> None:
        engine.append(event("A"), event("A"))
        conflict_of(engine, of_types("A"), after=1)
        assert engine.append(event("B"), condition=AppendCondition(of_types("A"), after=2)) == [3]
        assert engine.append(event("B"), condition=AppendCondition(of_types("A"), after=2)) == [4]

    def test_a_position_may_be_higher_than_the_last_match(self, engine: EventStore) -> None:
        engine.append(event("A"), event("B"), event("B"))
        for after in (1, 2, 3):
            assert engine.append(event("B"), condition=AppendCondition(of_types("A"), after))
        [late] = engine.append(event("A"))
        for after in (1, 2, 3, late - 1):
            conflict_of(engine, of_types("A"), after)
        assert engine.append(event("B"), condition=AppendCondition(of_types("A"), late))

    def test_a_stream_without_events_guards_from_the_head_of_the_store(self, engine: EventStore) -> None:
        engine.append(event("B"), event("B"))
        stream = engine.query(of_types("A"))
        assert stream.append_condition.after == 2
        engine.append(event("A"))
        conflict_of(engine, stream.append_condition.filter, stream.append_condition.after)

    def test_a_condition_may_be_narrower_than_what_was_read(self, engine: EventStore) -> None:
        """Of all that it read, a decision may depend on a part, and then only this part can come in between."""
        engine.append(event("Lent", '{"Book": 1}'), event("Returned", '{"Book": 1}'))
        read = engine.query(of_types("Lent", "Returned"))
        narrower = FilterBuilder().matching().any_event_type_of("Lent").and_all_predicates_of(P("Book", 1)).finalize()
        engine.append(event("Returned", '{"Book": 1}'), event("Lent", '{"Book": 2}'))
        conflict_of(engine, read.filter, read.position)
        assert engine.append(event("X"), condition=AppendCondition(narrower, read.position)) == [5]
        engine.append(event("Lent", '{"Book": 1}'))
        conflict_of(engine, narrower, read.position)

    def test_a_condition_may_be_wider_than_what_was_read(self, engine: EventStore) -> None:
        engine.append(event("Lent", '{"Book": 1}'))
        read = engine.query(having("Book", 1))
        assert engine.append(event("Lent", '{"Book": 2}'), condition=read.append_condition) == [2]
        assert engine.append(event("X"), condition=read.append_condition) == [3]
        conflict_of(engine, of_types("Lent"), read.position)
        conflict_of(engine, EVERYTHING, read.position)

    def test_bounds_never_narrow_a_guard(self, engine: EventStore) -> None:
        engine.append(event("A", '{"K": 1}'))
        for bounded in BOUNDED:
            assert engine.query(bounded).events == ()
            conflict_of(engine, bounded, after=0)

    def test_a_bounded_read_guards_with_the_head_of_the_store(self, engine: EventStore) -> None:
        engine.append(event("A"), event("A"))
        stream = engine.query(of_types("A").after_sequence_number(1))
        assert engine.append(event("A"), condition=stream.append_condition) == [3]
        conflict_of(engine, stream.filter, stream.position)

    @needs(Ability.FOREIGN_POSITIONS)
    def test_a_position_beyond_the_head_is_refused(self, engine: EventStore) -> None:
        engine.append(event("A"))
        for wanted, after in product((of_types("Unknown"), EVERYTHING), (2, 5000, 2**63 - 1)):
            for batch in ([event("B")], [event("B"), event("B")]):
                with pytest.raises(PositionUnknown) as caught:
                    engine.append(*batch, condition=AppendCondition(wanted, after))
                assert (caught.value.after, caught.value.head) == (after, 1)
        assert types_in_order(engine) == ["A"]

    @needs(Ability.FOREIGN_POSITIONS)
    def test_a_position_beyond_the_head_of_an_empty_store_is_refused(self, engine: EventStore) -> None:
        with pytest.raises(PositionUnknown) as caught:
            engine.append(event("B"), condition=AppendCondition(EVERYTHING, 1))
        assert (caught.value.after, caught.value.head) == (1, 0)

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_a_conflict_tells_the_first_matching_event_and_the_item_it_meets(self, engine: EventStore) -> None:
        second = event("Lent", '{"Book": 1, "Reader": 2}')
        engine.append(
            event("Added"), event("Lent", '{"Book": 7}'), second, event("Lent", '{"Book": 1}'), event("Added")
        )
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

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_a_batch_meets_the_same_conflict_as_one_event(self, engine: EventStore) -> None:
        engine.append(event("A"), event("B"))
        conflicts: list[ConcurrencyConflict] = []
        for batch in ([event()], [event(), event()]):
            with pytest.raises(ConcurrencyConflict) as caught:
                engine.append(*batch, condition=AppendCondition(of_types("B"), after=0))
            conflicts.append(caught.value)
        assert conflicts[0].event == conflicts[1].event
        assert str(conflicts[0]) == str(conflicts[1])

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_a_conflict_says_in_one_sentence_what_came_between_and_what_had_been_read(self, engine: EventStore) -> None:
        engine.append(event("Added"), event("Lent", '{"Book": 1}'), event("Added"))
        boundary = FilterBuilder().matching().any_event_type_of("Lent").and_any_predicate_of(P("Book", 1)).finalize()
        assert (
            str(conflict_of(engine, boundary, after=1))
            == "event 2 (Lent) was appended after position 1 and matches Lent with Book = 1"
        )

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_the_conflict_tells_the_first_of_several_items_that_one_event_meets(self, engine: EventStore) -> None:
        engine.append(event("Lent", '{"Book": 1, "Reader": 2}'))
        start = FilterBuilder().matching()
        boundary = (
            start.any_event_type_of("Added")
            .or_matching().any_predicate_of(P("Reader", 2))
            .or_matching().any_event_type_of("Lent")
            .finalize()
        )  # fmt: skip
        assert conflict_of(engine, boundary, after=0).filter_item == "any event with Reader = 2"

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_a_conflict_with_every_event_says_so(self, engine: EventStore) -> None:
        engine.append(event("A"), event("B"))
        conflict = conflict_of(engine, EVERYTHING, after=1)
        assert conflict.event.event_type == "B"
        assert conflict.filter_item == "any event"


class OldPositions(Part):
    """Conditions of somebody who decided for very long while others appended."""

    @pytest.fixture
    def busy(self, engine: EventStore) -> EventStore:
        """1,502 events after position 1: more than an engine may want to look through under a lock."""
        first, *more = [event("Common", f'{{"Book": {100 + number}}}') for number in range(1500)]
        engine.append(event("Early"))
        engine.append(first, *more)
        engine.append(event("Rare", '{"Book": 1}'), event("Common"))
        return engine

    def test_a_very_old_position_is_good_while_nothing_matches(self, busy: EventStore) -> None:
        assert busy.append(event("X"), condition=AppendCondition(of_types("Early"), after=1)) == [1504]
        nothing = FilterBuilder().matching().any_predicate_of(P("Book", 2)).finalize()
        assert busy.append(event("X"), event("X"), condition=AppendCondition(nothing, after=0)) == [1505, 1506]

    def test_a_very_old_position_meets_a_conflict(self, busy: EventStore) -> None:
        for after in (0, 1, 501, 1200):
            conflict_of(busy, of_types("Unknown", "Rare"), after)
            conflict_of(busy, having("Book", 1), after)
            conflict_of(busy, EVERYTHING, after)

    def test_bounds_do_not_narrow_the_guard_of_a_very_old_position(self, busy: EventStore) -> None:
        tomorrow = NOON + timedelta(days=1)
        conflict_of(busy, FilterBuilder().matching().any_event_type_of("Rare").up_to(3).finalize(), after=1)
        conflict_of(busy, FilterBuilder().matching().any_event_type_of("Rare").occurred_from(tomorrow).finalize(), 1)

    @needs(Ability.EXPLAINED_CONFLICTS)
    def test_the_conflict_of_a_very_old_position_tells_the_same_as_that_of_a_young_one(self, busy: EventStore) -> None:
        start = FilterBuilder().matching()
        wanted = start.any_event_type_of("Unknown").or_matching().any_predicate_of(P("Book", 1)).finalize()
        for after in (0, 1, 501, 1200):
            conflict = conflict_of(busy, wanted, after)
            assert (conflict.event.sequence_number, conflict.event.event_type) == (1502, "Rare")
            assert conflict.filter_item == "any event with Book = 1"
            assert (conflict.after, conflict.head) == (after, 1503)
        conflict = conflict_of(busy, EVERYTHING, after=0)
        assert (conflict.event.sequence_number, conflict.filter_item) == (1, "any event")
