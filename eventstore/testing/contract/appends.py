"""What an append without a condition does: numbers, order, content, all or nothing."""

from datetime import timedelta

import pytest

from eventstore import EventStore, EventStoreError, StorableEvent
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, types_in_order


class Appends(Part):
    """Appending, apart from conditions and repeated events."""

    def test_one_event_gets_the_next_number(self, engine: EventStore) -> None:
        assert engine.append(event()) == [1]
        assert engine.append(event()) == [2]

    def test_a_batch_keeps_its_order(self, engine: EventStore) -> None:
        engine.append(event("First"))
        types = [f"T{position}" for position in (3, 1, 2, 9, 5)]
        assert engine.append(*[event(event_type) for event_type in types]) == [2, 3, 4, 5, 6]
        assert types_in_order(engine) == ["First", *types]

    def test_a_large_batch_keeps_its_order(self, engine: EventStore) -> None:
        first, *more = [event(payload=f'{{"N": {number}}}') for number in range(3000)]
        assert engine.append(first, *more) == list(range(1, 3001))
        found = engine.query(EVERYTHING).events
        assert [one.payload for one in found] == [f'{{"N": {number}}}'.encode() for number in range(3000)]

    def test_every_event_of_a_batch_keeps_its_own_content(self, engine: EventStore) -> None:
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

    def test_an_append_without_condition_always_appends(self, engine: EventStore) -> None:
        for expected in (1, 2, 3):
            assert engine.append(event()) == [expected]

    def test_positions_are_unique_and_grow_from_append_to_append(self, engine: EventStore) -> None:
        appended = [number for size in (1, 3, 1, 2) for number in engine.append(*[event() for _ in range(size)])]
        assert appended == sorted(set(appended))
        assert [found.sequence_number for found in engine.query(EVERYTHING)] == appended

    @needs(Ability.EXACTLY_ONCE)
    def test_a_batch_is_in_the_store_as_a_whole_or_not_at_all(self, engine: EventStore) -> None:
        """An id that is used twice is noticed at the third event, when a careless engine has stored two."""
        twin = event("Twin")
        with pytest.raises(EventStoreError):
            engine.append(event("A"), twin, twin)
        assert engine.query(EVERYTHING).events == ()
        assert engine.append(event("A"), twin, event("B")) == [1, 2, 3]

    def test_an_append_needs_an_event(self, engine: EventStore) -> None:
        with pytest.raises(TypeError):
            engine.append()  # type: ignore[call-arg]
        assert engine.query(EVERYTHING).position == 0
