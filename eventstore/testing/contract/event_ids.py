"""Exactly once: what an append does with events that are stored already."""

from dataclasses import replace
from datetime import timedelta

import pytest

from eventstore import AppendCondition, EventIdReused, EventStore, PositionUnknown, StorableEvent, uuid7
from eventstore.testing.contract.base import Ability, Part, needs
from eventstore.testing.contract.examples import EVERYTHING, NOON, event, of_types


def with_payload(original: StorableEvent, payload: str) -> StorableEvent:
    """The same event, as far as its id goes."""
    return replace(original, payload=payload.encode())


def refuse(engine: EventStore, *events: StorableEvent, condition: AppendCondition | None = None) -> None:
    """The append is refused and leaves nothing behind."""
    before = engine.query(EVERYTHING)
    with pytest.raises(EventIdReused):
        engine.append(*events, condition=condition)
    assert engine.query(EVERYTHING) == before


OTHER_JSON = [
    ('{"K": 1}', '{"K": 2}'),
    ('{"K": 1}', '{"K": "1"}'),
    ('{"K": 1}', '{"K": true}'),
    ('{"K": 0}', '{"K": false}'),
    ('{"K": true}', '{"K": 1}'),
    ('{"K": [1, [0]]}', '{"K": [true, [false]]}'),
    ('{"K": {"L": 1.0}}', '{"K": {"L": true}}'),
    ('{"K": null}', "{}"),
    ('{"K": null}', '{"K": "null"}'),
    ('{"K": 1}', '{"k": 1}'),
    ('{"K": 1}', '{"K": 1, "L": 1}'),
    ('{"K": [1, 2]}', '{"K": [2, 1]}'),
    ('{"K": [1]}', '{"K": [1, 1]}'),
    ('{"K": []}', '{"K": {}}'),
    ('{"K": 0.1}', '{"K": 0.1000000000000000055511151231257827}'),
    ('{"K": 9007199254740993}', '{"K": 9007199254740992}'),
    ('{"K": 1e400}', '{"K": 1e401}'),
    ('{"K": "é"}', '{"K": "e\u0301"}'),
    ('{"K": "a"}', '{"K": "a "}'),
]


SAME_JSON = [
    ('{"K": 1, "L": 2}', '{"L": 2, "K": 1}'),
    ('{"K": 1}', ' {\n"K"\t:1 } '),
    ('{"K": 1}', '{"K": 1.0}'),
    ('{"K": 100}', '{"K": 1E2}'),
    ('{"K": [1.50, -0]}', '{"K": [1.5, 0.0]}'),
    ('{"K": 1}', '{"K": 2, "K": 1}'),
    ('{"K": "A/é"}', '{"\\u004b": "\\u0041\\/\\u00e9"}'),
    ('{"K": {"b": 1, "a": [{"d": 1, "c": 2}]}}', '{"K": {"a": [{"c": 2, "d": 1}], "b": 1.00}}'),
]


@needs(Ability.EXACTLY_ONCE)
class EventIds(Part):
    """Appending again."""

    def test_an_event_appended_again_returns_the_number_it_has(self, engine: EventStore) -> None:
        one, other = event("A"), event("B")
        assert engine.append(one) == [1]
        assert engine.append(other) == [2]
        assert engine.append(one) == [1]
        assert engine.append(other) == [2]
        assert engine.query(EVERYTHING).position == 2

    def test_a_batch_appended_again_returns_the_numbers_it_has(self, engine: EventStore) -> None:
        one, two, three = event("A"), event("B"), event("C")
        engine.append(event("Earlier"))
        assert engine.append(one, two, three) == [2, 3, 4]
        assert engine.append(one, two, three) == [2, 3, 4]
        assert engine.query(EVERYTHING).position == 4

    def test_numbers_of_stored_events_come_in_the_order_of_the_arguments(self, engine: EventStore) -> None:
        one, two, three = event("A"), event("B"), event("C")
        engine.append(one, two, three)
        assert engine.append(three, one, two) == [3, 1, 2]
        assert engine.append(two) == [2]
        assert engine.append(three, two) == [3, 2]

    def test_events_of_several_appends_may_be_repeated_in_one(self, engine: EventStore) -> None:
        one, two = event("A"), event("B")
        engine.append(one)
        engine.append(event("Between"))
        engine.append(two)
        assert engine.append(two, one) == [3, 1]

    def test_a_batch_of_which_a_part_is_stored_is_refused(self, engine: EventStore) -> None:
        stored, new = event("A"), event("B")
        engine.append(stored)
        refuse(engine, stored, new)
        refuse(engine, new, stored)
        refuse(engine, event(), stored, event())
        assert engine.append(new) == [2]

    def test_a_known_id_with_another_type_is_refused(self, engine: EventStore) -> None:
        stored = event("A", '{"K": 1}')
        engine.append(stored)
        refuse(engine, replace(stored, event_type="B"))
        refuse(engine, replace(stored, event_type="a"))

    def test_a_known_id_with_another_payload_is_refused(self, engine: EventStore) -> None:
        for stored, given in OTHER_JSON:
            original, other = event("A", stored), event("B")
            engine.append(original, other)
            refuse(engine, with_payload(original, given))
            refuse(engine, with_payload(original, given), other)

    def test_another_spelling_of_the_same_json_is_the_same_event(self, engine: EventStore) -> None:
        for stored, given in SAME_JSON:
            original, other = event("A", stored), event("B")
            first, second = engine.append(original, other)
            before = engine.query(EVERYTHING)
            assert engine.append(with_payload(original, given)) == [first]
            assert engine.append(other, with_payload(original, given)) == [second, first]
            assert engine.query(EVERYTHING) == before

    def test_time_and_metadata_do_not_count_when_an_event_is_appended_again(self, engine: EventStore) -> None:
        """A retry may carry another trace id; type and payload say whether it is the same event."""
        stored = event("A")
        engine.append(stored)
        again = replace(stored, occurred_at=NOON + timedelta(days=1), metadata=b'{"Attempt": 2}')
        assert engine.append(again) == [1]
        [found] = engine.query(EVERYTHING)
        assert (found.occurred_at, found.metadata) == (NOON, b"{}")

    def test_one_id_twice_in_a_batch_is_refused(self, engine: EventStore) -> None:
        twin = event("A")
        refuse(engine, twin, twin)
        refuse(engine, twin, event("B"), replace(twin, event_type="B"))
        engine.append(twin)
        refuse(engine, twin, twin)

    def test_the_ids_are_checked_before_the_guard(self, engine: EventStore) -> None:
        """Else the retry of an append that succeeded would meet its own event as a conflict."""
        stream = engine.query(of_types("A"))
        one, two = event("A"), event("A")
        assert engine.append(one, condition=stream.append_condition) == [1]
        assert engine.append(one, condition=stream.append_condition) == [1]
        stream = engine.query(of_types("A"))
        assert engine.append(two, event("B"), condition=stream.append_condition) == [2, 3]
        engine.append(event("A"))
        assert engine.append(two, condition=stream.append_condition) == [2]

    def test_the_ids_of_a_batch_are_checked_before_the_guard(self, engine: EventStore) -> None:
        batch = [event("A"), event("A")]
        nothing_yet = AppendCondition(EVERYTHING, 0)
        assert engine.append(*batch, condition=nothing_yet) == [1, 2]
        engine.append(event("A"))
        assert engine.append(*batch, condition=nothing_yet) == [1, 2]
        refuse(engine, batch[0], event("A"), condition=nothing_yet)
        refuse(engine, replace(batch[0], event_type="B"), condition=nothing_yet)

    @needs(Ability.FOREIGN_POSITIONS)
    def test_the_ids_are_checked_before_the_position(self, engine: EventStore) -> None:
        stored = event("A")
        engine.append(stored)
        elsewhere = AppendCondition(EVERYTHING, 99)
        assert engine.append(stored, condition=elsewhere) == [1]
        with pytest.raises(PositionUnknown):
            engine.append(event("A"), condition=elsewhere)

    def test_a_retry_long_after_the_append_still_returns_its_numbers(self, engine: EventStore) -> None:
        """More than a guard looks through at once came in between, and the first match among it is the event itself."""
        nothing_yet = AppendCondition(of_types("A"), 0)
        one, two = event("A"), event("A")
        engine.append(one, two, condition=nothing_yet)
        engine.append(*[event("B") for _ in range(1200)])
        assert engine.append(one, condition=nothing_yet) == [1]
        assert engine.append(two, one, condition=nothing_yet) == [2, 1]
        refuse(engine, one, event("A"), condition=nothing_yet)

    def test_an_id_of_a_refused_append_stays_free(self, engine: EventStore) -> None:
        stored, new = event("A"), event("B")
        engine.append(stored)
        refuse(engine, stored, new)
        assert engine.append(with_payload(new, '{"Corrected": true}')) == [2]

    def test_ids_of_any_version_are_kept(self, engine: EventStore) -> None:
        for number, text in enumerate(("0" * 32, "f" * 32, uuid7().hex), start=1):
            one = replace(event("A"), event_id=type(uuid7())(text))
            assert engine.append(one) == [number]
            assert engine.append(one) == [number]
