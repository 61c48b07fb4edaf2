"""Mistakes found in other event stores and in the project's seed, one test for each.

An empty predicate that matches everything is the one that no engine can make: `P` and `FilterItem` refuse it.
"""

from datetime import timedelta
from enum import Enum, StrEnum

import pytest

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventStore,
    FilterBuilder,
    P,
)
from eventstore.testing.contract.base import Part
from eventstore.testing.contract.examples import EVERYTHING, NOON, STRANGE_TEXTS, event, having, of_types


class Kind(StrEnum):
    """An event type as applications write it."""

    LENT = "Lent"


class Book(str, Enum):  # noqa: UP042  (the older spelling, of which str() gives "Book.FIRST")
    """A key, a value and a type."""

    KEY = "Book"
    FIRST = "b1"
    TYPE = "Lent"


class Relatives(Part):
    """Mistakes that were made elsewhere."""

    def test_after_zero_is_not_taken_for_no_condition(self, engine: EventStore) -> None:
        engine.append(event("A"))
        for batch in ([event("A")], [event("A"), event("A")]):
            with pytest.raises(ConcurrencyConflict):
                engine.append(*batch, condition=AppendCondition(of_types("A"), after=0))
        assert engine.query(EVERYTHING).position == 1

    def test_a_crafted_value_returns_no_row_that_it_does_not_mean(self, engine: EventStore) -> None:
        engine.append(event("Secret", '{"Owner": "somebody"}'))
        for text in STRANGE_TEXTS:
            assert engine.query(having("Owner", text)).events == ()
            assert engine.query(having(text, "somebody")).events == ()
            assert engine.query(of_types(text)).events == ()
            assert engine.query(of_types(text), limit=1).events == ()
        assert len(engine.query(having("Owner", "somebody"))) == 1

    def test_a_crafted_value_guards_what_it_says_and_nothing_else(self, engine: EventStore) -> None:
        engine.append(event("Early"))
        for text in STRANGE_TEXTS:
            for boundary in (having("K", text), having(text, 1), of_types(text)):
                assert engine.append(event("Early"), condition=AppendCondition(boundary, 0))
        position = engine.query(EVERYTHING).position
        keys = ", ".join(f"{P(text, 1).pattern[1:-1]}" for text in STRANGE_TEXTS)
        engine.append(event("Late", f"{{{keys}}}"))
        for text in STRANGE_TEXTS:
            with pytest.raises(ConcurrencyConflict):
                engine.append(event("Early"), condition=AppendCondition(having(text, 1), position))

    def test_a_guard_does_not_depend_on_the_order_of_its_arguments(self, engine: EventStore) -> None:
        engine.append(event("B", '{"K": 2, "L": 1}'))
        one = FilterBuilder().matching().any_event_type_of("A", "B").and_all_predicates_of(P("K", 2), P("L", 1))
        other = FilterBuilder().matching().all_predicates_of(P("L", 1), P("K", 2)).and_any_event_type_of("B", "A")
        for boundary in (one.finalize(), other.finalize()):
            assert len(engine.query(boundary)) == 1
            with pytest.raises(ConcurrencyConflict):
                engine.append(event(), condition=AppendCondition(boundary, 0))

    def test_a_repeated_tag_still_matches_and_still_guards(self, engine: EventStore) -> None:
        engine.append(event("A", '{"K": 1}'))
        for item in (
            FilterBuilder().matching().all_predicates_of(P("K", 1), P("K", 1)),
            FilterBuilder().matching().any_event_type_of("A", "A").and_all_predicates_of(P("K", 1), P("K", 1.0)),
        ):
            assert len(engine.query(item.finalize())) == 1
            with pytest.raises(ConcurrencyConflict):
                engine.append(event(), condition=AppendCondition(item.finalize(), 0))

    def test_finished_lendings_of_one_pair_stay_apart(self, engine: EventStore) -> None:
        pair = '{"Book": 1, "Reader": 1}'
        for _ in range(2):
            engine.append(event("Lent", pair))
            engine.append(event("Returned", pair))
        both = FilterBuilder().matching().all_predicates_of(P("Book", 1), P("Reader", 1)).finalize()
        assert [found.event_type for found in engine.query(both)] == ["Lent", "Returned", "Lent", "Returned"]

    def test_several_types_without_predicates_query_and_guard(self, engine: EventStore) -> None:
        engine.append(event("A"), event("B"), event("C"))
        boundary = of_types("A", "C")
        assert [found.event_type for found in engine.query(boundary)] == ["A", "C"]
        for after in (0, 1, 2):
            with pytest.raises(ConcurrencyConflict):
                engine.append(event(), condition=AppendCondition(boundary, after))
        assert engine.append(event("B"), condition=AppendCondition(boundary, 3)) == [4]

    def test_a_refused_append_is_refused_again_until_the_caller_reads_again(self, engine: EventStore) -> None:
        """A retry must begin at the query: the old decision never becomes right."""
        stream = engine.query(of_types("A"))
        engine.append(event("A"))
        decided = event("A")
        for _ in range(3):
            with pytest.raises(ConcurrencyConflict):
                engine.append(decided, condition=stream.append_condition)
        assert engine.append(decided, condition=engine.query(of_types("A")).append_condition) == [2]

    def test_items_are_not_flattened_into_one(self, engine: EventStore) -> None:
        """(A with K = 1) or (B with K = 2) is neither "A or B with K = 1 or K = 2" nor "A and B"."""
        engine.append(event("A", '{"K": 2}'), event("B", '{"K": 1}'))
        boundary = (
            FilterBuilder()
            .matching().any_event_type_of("A").and_all_predicates_of(P("K", 1))
            .or_matching().any_event_type_of("B").and_all_predicates_of(P("K", 2))
            .finalize()
        )  # fmt: skip
        assert engine.query(boundary).events == ()
        assert engine.append(event("B", '{"K": 2}'), condition=AppendCondition(boundary, 0)) == [3]
        assert [found.sequence_number for found in engine.query(boundary)] == [3]
        with pytest.raises(ConcurrencyConflict):
            engine.append(event(), condition=AppendCondition(boundary, 2))

    def test_alternatives_are_put_in_parentheses_before_bounds_are_added(self, engine: EventStore) -> None:
        engine.append(event("A", '{"K": 1}'), event("B", '{"L": 1}'), event("A", '{"L": 1}'))
        tomorrow = NOON + timedelta(days=1)
        start = FilterBuilder().matching()
        for alternatives in (
            start.any_event_type_of("A").or_matching().any_event_type_of("B"),
            start.any_predicate_of(P("K", 1), P("L", 1)),
            start.any_predicate_of(P("K", 1)).or_matching().any_predicate_of(P("L", 1)),
            start.any_event_type_of("A").or_matching().any_predicate_of(P("L", 1)).and_any_event_type_of("B"),
        ):
            whole = alternatives.finalize()
            assert [found.sequence_number for found in engine.query(whole.after_sequence_number(2))] == [3]
            assert [found.sequence_number for found in engine.query(whole.as_of(1))] == [1]
            assert engine.query(alternatives.occurred_from(tomorrow).finalize()).events == ()

    def test_any_of_several_predicates_is_put_in_parentheses_before_the_type(self, engine: EventStore) -> None:
        engine.append(event("A", '{"K": 1}'), event("B", '{"L": 1}'), event("B", '{"K": 1}'), event("A", '{"L": 1}'))
        boundary = (
            FilterBuilder().matching().any_event_type_of("A").and_any_predicate_of(P("K", 1), P("L", 1)).finalize()
        )
        assert [found.sequence_number for found in engine.query(boundary)] == [1, 4]

    def test_a_name_from_an_enumeration_means_its_value(self, engine: EventStore) -> None:
        """Stored and searched as `Lent` and `b1`, never as `Book.TYPE` and `Book.FIRST`."""
        engine.append(event("Lent", '{"Book": "b1"}'))
        engine.append(event(Kind.LENT, '{"Book": "b1"}'), event(Book.TYPE))
        engine.append(event(Book.TYPE))
        assert [found.event_type for found in engine.query(EVERYTHING)] == ["Lent"] * 4
        assert having(Book.KEY, Book.FIRST) == having("Book", "b1")
        assert len(engine.query(having(Book.KEY, Book.FIRST))) == 2
        for boundary in (of_types(Kind.LENT), of_types(Book.TYPE), of_types("Other", Book.TYPE)):
            assert len(engine.query(boundary)) == 4
            assert len(engine.query(boundary, limit=3)) == 3
            with pytest.raises(ConcurrencyConflict):
                engine.append(event(), condition=AppendCondition(boundary, 3))
