"""What a query returns, and in which order."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from eventstore import (
    Consistency,
    EventStore,
    Filter,
    FilterBuilder,
    InvalidCondition,
    InvalidFilter,
    P,
    PositionUnknown,
    SequencedEvent,
    StorableEvent,
)
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, having, of_types


def numbers(engine: EventStore, filter: Filter, *, limit: int | None = None, backwards: bool = False) -> list[int]:
    """The positions of what a query returns."""
    return [found.sequence_number for found in engine.query(filter, limit=limit, backwards=backwards)]


STREAMS: list[tuple[Filter, list[int]]] = [
    (EVERYTHING, [1, 2, 3, 4, 5, 6, 7, 8]),
    (of_types("Lent"), [2, 4, 7, 8]),
    (of_types("Lent", "Added"), [1, 2, 4, 5, 7, 8]),
    (of_types("Lent", "Lent", "Added", "Lent"), [1, 2, 4, 5, 7, 8]),
    (of_types("Unknown"), []),
    (having("Book", 1), [1, 2, 3, 4]),
    (having("Book", 3), []),
    (of_types("Lent", "Added").after_sequence_number(2).as_of(7), [4, 5, 7]),
    (having("Book", 2).after_sequence_number(5), [6, 7, 8]),
]


class Queries(Part):
    """Order, limits, bounds, and the position of what was read."""

    @pytest.fixture
    def lending(self, engine: EventStore) -> EventStore:
        """Positions 1 to 8, an hour from one to the next, of three types and two books."""
        types = ("Added", "Lent", "Returned", "Lent", "Added", "Returned", "Lent", "Lent")
        engine.append(
            *[
                event(event_type, f'{{"Book": {1 + (hour >= 4)}, "Hour": {hour}}}', NOON + timedelta(hours=hour))
                for hour, event_type in enumerate(types)
            ]
        )
        return engine

    def test_an_empty_store_answers_with_nothing_at_position_zero(self, engine: EventStore) -> None:
        stream = engine.query(EVERYTHING)
        assert stream.events == ()
        assert list(stream) == []
        assert len(stream) == 0
        assert stream.position == 0
        assert stream.max_sequence_number == 0
        assert stream.append_condition.after == 0

    def test_an_event_comes_back_as_it_was_appended(self, engine: EventStore) -> None:
        event_id = uuid.UUID("0195a7f0-0000-4000-8000-000000000001")
        appended = StorableEvent.build(
            "BookCopyLent", NOON, payload=b'{"Book": 1}', metadata=b'{"By": "Ann"}', event_id=event_id
        )
        [number] = engine.append(appended)
        [found] = engine.query(EVERYTHING)
        assert found == SequencedEvent(number, event_id, "BookCopyLent", NOON, b'{"Book": 1}', b'{"By": "Ann"}')
        assert isinstance(found.event_id, uuid.UUID)
        assert isinstance(found.payload, bytes)
        assert isinstance(found.metadata, bytes)

    def test_times_keep_their_microseconds_and_come_back_in_utc(self, engine: EventStore) -> None:
        local = datetime(2026, 7, 1, 0, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
        engine.append(event("A", occurred_at=local))
        [found] = engine.query(EVERYTHING)
        assert found.occurred_at == local
        assert found.occurred_at.utcoffset() == timedelta(0)
        assert found.occurred_at.tzinfo is UTC

    @needs(Ability.EXTREME_TIMES)
    def test_the_first_and_the_last_moment_that_python_knows_can_be_stored(self, engine: EventStore) -> None:
        for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
            engine.append(event("A", occurred_at=moment))
            [found] = engine.query(FilterBuilder().occurred_from(moment).occurred_until(moment).finalize())
            assert found.occurred_at == moment

    def test_events_come_in_the_order_of_their_positions_whatever_their_times(self, engine: EventStore) -> None:
        for hours in (3, 1, 2):
            engine.append(event("A", occurred_at=NOON + timedelta(hours=hours)))
        stream = engine.query(EVERYTHING)
        assert [found.sequence_number for found in stream] == [1, 2, 3]
        assert [found.occurred_at.hour for found in stream] == [15, 13, 14]

    def test_the_position_is_the_head_of_the_whole_store_and_not_the_last_match(self, lending: EventStore) -> None:
        stream = lending.query(of_types("Added"))
        assert stream.position == 8
        assert stream.max_sequence_number == 5
        assert lending.query(of_types("Unknown")).position == 8
        assert lending.query(of_types("Unknown")).max_sequence_number == 0

    def test_the_stream_says_what_was_asked(self, lending: EventStore) -> None:
        assert lending.query(of_types("Added"), limit=1).filter == of_types("Added")

    def test_a_limit_takes_the_first_or_backwards_the_newest(self, lending: EventStore) -> None:
        for wanted, expected in STREAMS:
            newest_first = expected[::-1]
            assert numbers(lending, wanted) == expected
            assert numbers(lending, wanted, backwards=True) == newest_first
            for limit in (1, 2, 3, 100):
                assert numbers(lending, wanted, limit=limit) == expected[:limit]
                assert numbers(lending, wanted, limit=limit, backwards=True) == newest_first[:limit]

    def test_several_items_of_types_alone_with_a_limit_return_each_event_once(self, lending: EventStore) -> None:
        wanted = (
            FilterBuilder()
            .matching().any_event_type_of("Lent", "Added")
            .or_matching().any_event_type_of("Added", "Returned")
            .finalize()
        )  # fmt: skip
        assert numbers(lending, wanted, limit=5) == [1, 2, 3, 4, 5]
        assert numbers(lending, wanted, limit=5, backwards=True) == [8, 7, 6, 5, 4]

    def test_the_highest_number_of_a_backwards_read_is_that_of_its_first_event(self, lending: EventStore) -> None:
        stream = lending.query(of_types("Lent"), backwards=True)
        assert stream.max_sequence_number == 8
        assert lending.query(of_types("Lent"), limit=2, backwards=True).max_sequence_number == 8
        assert lending.query(of_types("Lent"), limit=2).max_sequence_number == 4

    def test_a_limit_must_be_a_whole_number_from_one_on(self, engine: EventStore) -> None:
        refused: list[Any] = [0, -1, True, False, 1.5, 1.0, "3"]
        for limit in refused:
            with pytest.raises(InvalidFilter, match="limit"):
                engine.query(EVERYTHING, limit=limit)

    def test_a_limit_may_be_larger_than_any_store(self, lending: EventStore) -> None:
        for limit in (2**31, 2**63 - 1):
            assert len(lending.query(EVERYTHING, limit=limit)) == 8
            assert len(lending.query(of_types("Lent"), limit=limit)) == 4
            assert len(lending.query(having("Book", 1), limit=limit)) == 4

    def test_a_limit_that_no_position_can_reach_is_refused(self, engine: EventStore) -> None:
        with pytest.raises(InvalidFilter, match="limit"):
            engine.query(EVERYTHING, limit=2**63)

    def test_bounds_of_position_exclude_the_lower_and_include_the_upper_end(self, lending: EventStore) -> None:
        assert numbers(lending, EVERYTHING.after_sequence_number(3)) == [4, 5, 6, 7, 8]
        assert numbers(lending, EVERYTHING.as_of(3)) == [1, 2, 3]
        assert numbers(lending, EVERYTHING.after_sequence_number(3).as_of(5)) == [4, 5]
        assert numbers(lending, EVERYTHING.after_sequence_number(5).as_of(5)) == []

    def test_a_bound_of_zero_is_a_bound(self, lending: EventStore) -> None:
        assert numbers(lending, EVERYTHING.after_sequence_number(0)) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert numbers(lending, EVERYTHING.as_of(0)) == []
        assert numbers(lending, of_types("Lent").as_of(0), limit=1) == []
        assert numbers(lending, having("Book", 1).as_of(0)) == []

    def test_bounds_beyond_the_head_are_no_error(self, lending: EventStore) -> None:
        assert numbers(lending, EVERYTHING.after_sequence_number(2**63 - 1)) == []
        assert numbers(lending, EVERYTHING.as_of(2**63 - 1)) == [1, 2, 3, 4, 5, 6, 7, 8]

    def test_bounds_of_time_include_both_ends(self, lending: EventStore) -> None:
        three, five = NOON + timedelta(hours=3), NOON + timedelta(hours=5)
        instant = timedelta(microseconds=1)
        assert numbers(lending, FilterBuilder().occurred_from(five).finalize()) == [6, 7, 8]
        assert numbers(lending, FilterBuilder().occurred_until(three).finalize()) == [1, 2, 3, 4]
        assert numbers(lending, FilterBuilder().occurred_from(three).occurred_until(five).finalize()) == [4, 5, 6]
        within = FilterBuilder().occurred_from(three + instant).occurred_until(five - instant).finalize()
        assert numbers(lending, within) == [5]

    def test_bounds_of_time_compare_moments_and_not_clocks(self, lending: EventStore) -> None:
        tokyo = timezone(timedelta(hours=9))
        assert numbers(lending, FilterBuilder().occurred_until(NOON.astimezone(tokyo)).finalize()) == [1]

    def test_bounds_hold_for_every_item_and_not_for_the_last_one_only(self, lending: EventStore) -> None:
        """`A OR B AND bounds` without outer parentheses returns every A of the log."""
        items = (
            FilterBuilder()
            .matching().any_event_type_of("Added")
            .or_matching().any_event_type_of("Lent").and_any_predicate_of(P("Book", 1), P("Book", 2))
            .or_matching().any_predicate_of(P("Hour", 5))
        )  # fmt: skip
        assert numbers(lending, items.finalize()) == [1, 2, 4, 5, 6, 7, 8]
        assert numbers(lending, items.sequence_number_higher_than(5).finalize()) == [6, 7, 8]
        assert numbers(lending, items.up_to(2).finalize()) == [1, 2]
        assert numbers(lending, items.occurred_from(NOON + timedelta(hours=6)).finalize()) == [7, 8]
        assert numbers(lending, items.occurred_until(NOON).finalize()) == [1]

    def test_bounds_hold_for_every_item_of_types_alone(self, lending: EventStore) -> None:
        items = FilterBuilder().matching().any_event_type_of("Added").or_matching().any_event_type_of("Lent")
        assert numbers(lending, items.sequence_number_higher_than(5).finalize()) == [7, 8]
        assert numbers(lending, items.sequence_number_higher_than(5).finalize(), limit=1) == [7]
        assert numbers(lending, items.up_to(2).finalize(), limit=9, backwards=True) == [2, 1]

    def test_all_four_bounds_together_with_a_limit(self, lending: EventStore) -> None:
        bounded = (
            FilterBuilder()
            .matching().any_event_type_of("Lent", "Returned")
            .occurred_from(NOON + timedelta(hours=2)).occurred_until(NOON + timedelta(hours=6))
            .sequence_number_higher_than(3).up_to(6).finalize()
        )  # fmt: skip
        assert numbers(lending, bounded) == [4, 6]
        assert numbers(lending, bounded, limit=1) == [4]
        assert numbers(lending, bounded, limit=1, backwards=True) == [6]

    def test_a_read_that_may_lack_newer_events_offers_no_append_condition(self, lending: EventStore) -> None:
        for stream in (lending.query(EVERYTHING, limit=3), lending.query(EVERYTHING.as_of(7))):
            assert stream.cut_off
            with pytest.raises(InvalidCondition):
                _ = stream.append_condition

    def test_a_read_that_reaches_the_newest_events_offers_an_append_condition(self, lending: EventStore) -> None:
        for stream in (
            lending.query(EVERYTHING),
            lending.query(EVERYTHING, backwards=True),
            lending.query(EVERYTHING, limit=2, backwards=True),
            lending.query(EVERYTHING, limit=9),
            lending.query(EVERYTHING.as_of(8)),
            lending.query(EVERYTHING.after_sequence_number(7)),
        ):
            assert stream.cut_off == ""
            assert stream.append_condition.filter == stream.filter
            assert stream.append_condition.after == 8

    def test_a_backwards_read_up_to_an_older_position_offers_no_append_condition(self, lending: EventStore) -> None:
        with pytest.raises(InvalidCondition):
            _ = lending.query(EVERYTHING.as_of(7), limit=1, backwards=True).append_condition

    def test_a_stream_that_was_read_does_not_change_when_events_are_appended(self, lending: EventStore) -> None:
        stream = lending.query(EVERYTHING)
        lending.append(event("Lent"))
        assert len(stream) == 8
        assert stream.position == 8

    def test_a_query_may_ask_for_a_position_that_the_answer_must_have_reached(self, lending: EventStore) -> None:
        for at_least in (None, 0, 1, 8):
            for consistency in Consistency:
                stream = lending.query(of_types("Added"), at_least=at_least, consistency=consistency)
                assert [found.sequence_number for found in stream] == [1, 5]
                assert stream.position == 8

    @needs(Ability.FOREIGN_POSITIONS)
    def test_a_query_for_a_position_beyond_the_head_is_refused(self, lending: EventStore) -> None:
        with pytest.raises(PositionUnknown) as caught:
            lending.query(EVERYTHING, at_least=9)
        assert (caught.value.after, caught.value.head) == (9, 8)

    def test_a_position_to_reach_must_be_a_position(self, engine: EventStore) -> None:
        refused: list[Any] = [-1, True, 1.0, "1", 2**63]
        for at_least in refused:
            with pytest.raises(InvalidFilter, match="at_least"):
                engine.query(EVERYTHING, at_least=at_least)

    def test_the_past_can_be_read_as_of_a_position_or_a_moment(self, lending: EventStore) -> None:
        three_o_clock = NOON + timedelta(hours=3)
        assert numbers(lending, of_types("Lent").as_of(4)) == [2, 4]
        assert numbers(lending, EVERYTHING.as_of_moment(three_o_clock)) == [1, 2, 3, 4]
        assert numbers(lending, of_types("Lent").as_of_moment(three_o_clock).as_of(3)) == [2]
