"""What a subscription delivers: everything that matches, once, in order, and how far it has looked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from eventstore import (
    AppendCondition,
    ConcurrencyConflict,
    EventIdReused,
    EventStore,
    Filter,
    FilterBuilder,
    InvalidFilter,
    P,
    PositionUnknown,
    StorableEvent,
)
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, having, of_types
from eventstore.testing.contract.following import LONGEST_WAIT, Follower

WRITERS = 4

FILTERS: list[tuple[Filter, list[int]]] = [
    (of_types("Lent"), [1, 3, 5, 7, 9]),
    (having("Book", 2), [5, 6, 7, 8, 9, 10]),
    (FilterBuilder().matching().any_event_type_of("Lent").and_any_predicate_of(P("Book", 2)).finalize(), [5, 7, 9]),
    (FilterBuilder().occurred_from(NOON + timedelta(hours=3)).finalize(), [4, 5, 6, 7, 8, 9, 10]),
    (having("Book", 1).as_of_moment(NOON + timedelta(hours=2)), [1, 2, 3]),
    (of_types("Lent").after_sequence_number(4), [5, 7, 9]),
    (of_types("Unknown"), []),
]


def append_ten_hours(engine: EventStore) -> None:
    """Lent and Returned in turn, one each hour; the last six about book 2, the others about book 1."""
    for hour in range(10):
        engine.append(
            event(("Lent", "Returned")[hour % 2], f'{{"Book": {1 + (hour >= 4)}}}', NOON + timedelta(hours=hour))
        )


@needs(Ability.SUBSCRIPTIONS)
class Subscriptions(Part):
    """Following a stream: first what is stored, then what is appended."""

    def test_what_is_stored_comes_first_and_then_what_is_appended(self, engine: EventStore) -> None:
        engine.append(event("One"), event("Two"))
        with Follower(engine) as follower:
            follower.reached(2)
            for number in range(3, 8):
                engine.append(event())
                follower.reached(number)
        assert tuple(follower.events) == engine.query(EVERYTHING).events
        assert follower.numbers == [1, 2, 3, 4, 5, 6, 7]

    def test_a_subscription_to_an_empty_store_waits_for_the_first_event(self, engine: EventStore) -> None:
        with Follower(engine) as follower:
            engine.append(event())
            follower.reached(1)
        assert follower.numbers == [1]

    def test_a_subscription_begins_after_a_position(self, engine: EventStore) -> None:
        engine.append(*(event() for _ in range(5)))
        for after, expected in ((0, [1, 2, 3, 4, 5]), (3, [4, 5])):
            with Follower(engine, after=after) as follower:
                assert follower.reached(5).numbers == expected

    def test_a_subscription_at_the_head_delivers_only_what_is_new(self, engine: EventStore) -> None:
        engine.append(event(), event())
        with Follower(engine, after=2) as follower:
            engine.append(event())
            follower.reached(3)
        assert follower.numbers == [3]

    @pytest.mark.parametrize(("bound", "after"), [(3, 0), (0, 3), (3, 1), (1, 3)])
    def test_of_two_lower_bounds_the_higher_one_counts(self, engine: EventStore, bound: int, after: int) -> None:
        engine.append(*(event() for _ in range(5)))
        with Follower(engine, EVERYTHING.after_sequence_number(bound), after) as follower:
            assert follower.reached(5).numbers == [4, 5]

    @pytest.mark.parametrize(("filter", "expected"), FILTERS)
    def test_only_events_within_the_filter_come(self, engine: EventStore, filter: Filter, expected: list[int]) -> None:
        append_ten_hours(engine)
        with Follower(engine, filter) as follower:
            assert follower.reached(10).numbers == expected
        assert tuple(follower.events) == engine.query(filter).events

    def test_batches_say_how_far_they_looked_even_if_nothing_matched(self, engine: EventStore) -> None:
        """Else a filter that rarely matches would begin far back after every restart."""
        engine.append(event("Other"))
        with Follower(engine, of_types("Wanted")) as follower:
            follower.reached(1)
            engine.append(event("Other"), event("Other"))
            follower.reached(3)
        assert follower.events == []

    def test_positions_of_batches_only_rise(self, engine: EventStore) -> None:
        with Follower(engine, of_types("Wanted")) as follower:
            for number in range(1, 31):
                engine.append(event("Wanted" if number % 7 == 0 else "Other"))
            follower.reached(30)
        positions = [batch.position for batch in follower.batches]
        assert positions == sorted(set(positions))
        assert follower.numbers == [7, 14, 21, 28]
        for batch in follower.batches:
            assert all(found.sequence_number <= batch.position for found in batch)

    def test_whoever_goes_on_after_the_position_of_a_batch_misses_nothing(self, engine: EventStore) -> None:
        found: list[int] = []
        position = 0
        for number in range(1, 13):
            engine.append(*(event() for _ in range(number % 3 + 1)))
            with engine.subscribe(EVERYTHING, position) as subscription:
                batch = next(subscription)
            found += [one.sequence_number for one in batch]
            position = batch.position
        assert found == [one.sequence_number for one in engine.query(EVERYTHING.as_of(position))]

    @pytest.mark.parametrize("filter", [EVERYTHING.as_of(5), EVERYTHING.as_of(0), of_types("Lent").as_of(1)])
    def test_a_subscription_has_no_upper_end(self, engine: EventStore, filter: Filter) -> None:
        with pytest.raises(InvalidFilter):
            engine.subscribe(filter)

    @pytest.mark.parametrize("after", [-1, True, 1.5, "1", None, 2**63])
    def test_what_is_no_position_is_refused_as_a_beginning(self, engine: EventStore, after: object) -> None:
        with pytest.raises(InvalidFilter):
            engine.subscribe(EVERYTHING, after)  # type: ignore[arg-type]

    @needs(Ability.FOREIGN_POSITIONS)
    @pytest.mark.parametrize("filter", [EVERYTHING, of_types("Lent"), EVERYTHING.after_sequence_number(9)])
    def test_a_position_of_another_store_is_refused_and_ends_the_subscription(
        self, engine: EventStore, filter: Filter
    ) -> None:
        engine.append(event(), event())
        subscription = engine.subscribe(filter, 3)
        with pytest.raises(PositionUnknown) as unknown:
            next(subscription)
        assert unknown.value.after == max(3, filter.sequence_number_higher_than or 0)
        assert unknown.value.head == 2
        assert list(subscription) == []

    def test_closing_ends_the_iteration_of_a_thread_that_waits(self, engine: EventStore) -> None:
        engine.append(event())
        for _ in range(20):
            follower = Follower(engine).reached(1)
            follower.subscription.close()
            follower.ended()

    def test_a_closed_subscription_delivers_nothing_more(self, engine: EventStore) -> None:
        engine.append(event())
        with engine.subscribe(EVERYTHING) as subscription:
            assert iter(subscription) is subscription
        subscription.close()
        assert list(subscription) == []

    def test_closing_one_subscription_leaves_the_others_alone(self, engine: EventStore) -> None:
        with Follower(engine) as first, Follower(engine) as second:
            first.subscription.close()
            first.ended()
            engine.append(event())
            second.reached(1)
        assert first.batches == []

    def test_an_append_refused_by_its_guard_is_no_event(self, engine: EventStore) -> None:
        def refused() -> None:
            with pytest.raises(ConcurrencyConflict):
                engine.append(event(), event(), condition=AppendCondition(EVERYTHING, 0))

        self._delivers_nothing_of(refused, engine)

    @needs(Ability.EXACTLY_ONCE)
    def test_an_append_refused_by_its_ids_is_no_event(self, engine: EventStore) -> None:
        def refused() -> None:
            known = engine.query(EVERYTHING).events[0].event_id
            with pytest.raises(EventIdReused):
                engine.append(event(), StorableEvent.build("Else", NOON, payload=b"{}", event_id=known))

        self._delivers_nothing_of(refused, engine)

    def _delivers_nothing_of(self, refused: Callable[[], None], engine: EventStore) -> None:
        engine.append(event("Stored"))
        with Follower(engine) as follower:
            follower.reached(1)
            refused()
            [number] = engine.append(event("Later"))
            follower.reached(number)
        assert [found.event_type for found in follower.events] == ["Stored", "Later"]

    @needs(Ability.THREADS)
    def test_none_is_lost_and_none_comes_twice_under_load(self, engine: EventStore) -> None:
        types = [f"Writer{number}" for number in range(WRITERS)]

        def write(event_type: str) -> None:
            for number in range(30):
                engine.append(*(event(event_type) for _ in range(1 + number % 3)))

        with (
            Follower(engine) as everything,
            Follower(engine, of_types(types[0])) as one_writer,
            ThreadPoolExecutor(WRITERS) as threads,
        ):
            done = [threads.submit(write, event_type) for event_type in types]
            with Follower(engine, of_types(*types[1:])) as joined_later:
                for work in done:
                    work.result(LONGEST_WAIT)
                head = engine.query(EVERYTHING).position
                for follower in (everything, one_writer, joined_later):
                    follower.reached(head)
        assert len(everything.events) == WRITERS * 60
        assert tuple(everything.events) == engine.query(EVERYTHING).events
        assert tuple(one_writer.events) == engine.query(of_types(types[0])).events
        assert tuple(joined_later.events) == engine.query(of_types(*types[1:])).events
